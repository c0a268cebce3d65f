"""The backend `vault`: the KV secrets engine of HashiCorp Vault and OpenBao. Layer 2."""
