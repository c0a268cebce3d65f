"""Commands that the user's own policy file allows. Layer 2."""
