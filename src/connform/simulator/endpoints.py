"""The endpoints of the simulated authorization server: their kinds, their paths on every host, the metadata of an issuer.

Layer 2, no IO. RFC 8414.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from connform.simulator.messages import Reply, Request, json_reply

KINDS = {
    "authorize_url": "/connect/authorize",
    "token_url": "/connect/token",
    "refresh_url": "/connect/token",
    "revoke_url": "/connect/revocation",
    "device_authorization_url": "/connect/deviceauthorization",
}
"""Kind of endpoint → its path on every host, as .NET's IdentityServer has it."""
KIND_OF_PATH = {path: kind for kind, path in KINDS.items() if kind != "refresh_url"}
"""The reverse; one endpoint takes every token request."""
_METADATA_PATH = re.compile(
    r"/\.well-known/oauth-authorization-server(?P<rfc>.*)|(?P<oidc>.*)/\.well-known/openid-configuration"
)
"""The path of an issuer's metadata, with the path of the issuer behind it (RFC 8414 §3.1) or before it (OpenID Connect Discovery §4)."""
_NAMES = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "revoke_url": "revocation_endpoint",
    "device_authorization_url": "device_authorization_endpoint",
}


def metadata(request: Request) -> Reply | None:
    """Return the metadata of an issuer (RFC 8414 §3.2), with the endpoints that every host has; `None` for another request."""
    match = _METADATA_PATH.fullmatch(request.path)
    if match is None or request.method != "GET":
        return None
    root = request.origin
    endpoints = {name: root + KINDS[kind] for kind, name in _NAMES.items()}
    issuer = root + (match["rfc"] or match["oidc"] or "")
    return json_reply(200, {"issuer": issuer, "response_types_supported": ["code"], **endpoints})


def place_of(url: str) -> tuple[str, str]:
    """Return the host and the path of a URL."""
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.path or "/"
