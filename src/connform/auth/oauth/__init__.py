"""The OAuth 2.0 client (RFC 6749): obtains, renews and revokes the grant of one connection.

Layer 2.
"""
