"""The backend `azurekv`: Azure Key Vault. Layer 2."""
