"""The backends for AWS: Secrets Manager, and Systems Manager Parameter Store. Layer 2."""
