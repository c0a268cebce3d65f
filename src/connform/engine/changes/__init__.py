"""A plan: what differs from the recorded state, whether it may be carried out, and what is recorded of it. Layer 3."""
