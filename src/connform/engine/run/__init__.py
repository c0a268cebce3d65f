"""What a run has at hand: its secrets, clients, grants and recorded state, real or simulated. Layer 3."""
