"""Access tokens that no person consented to: how they are obtained, shared and sent.

Layer 2.
"""
