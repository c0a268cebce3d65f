"""1Password, by its Connect server or its program. Layer 2."""
