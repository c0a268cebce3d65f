"""Obtains, spends and revokes grants: OAuth 2.0 (RFC 6749), for one connection at a time.

Layer 2.
"""
