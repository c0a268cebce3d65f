"""HashiCorp Vault and OpenBao: the KV secrets engine. Layer 2."""
