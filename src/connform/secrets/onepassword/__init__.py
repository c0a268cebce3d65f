"""The backend `op`: 1Password, by a Connect server or by the program `op`. Layer 2."""
