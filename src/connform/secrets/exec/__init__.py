"""The backend `exec`: outputs of commands that the user's own policy file allows. Layer 2."""
