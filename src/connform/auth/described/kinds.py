"""The kinds of auth methods of an entry, and the keys that belong to each.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACCESS_TOKEN = "access_token"  # noqa: S105  (a name in texts)
"""The name of an obtained token in header texts."""
JWT = "jwt"
"""The name of a signed JWT in header texts."""
CLIENT_SECRET = "client_secret"  # noqa: S105  (the name of a secret)
"""The secret by which an app authenticates with `client_auth` `basic` or `body`."""
FLOWS_WITH_CONSENT = frozenset({"authorization_code", "device_code"})
"""The flows in which a person consents."""
_TOKEN_REQUEST = frozenset({"scopes", "client_auth", "token_format", "token_params", "jwt"})
_REFRESH = frozenset({"refresh_url", "revoke_url", "refresh_scope"})
KEYS: Mapping[str, frozenset[str]] = {
    "authorization_code": frozenset({"authorize_url", "token_url", "device_authorization_url", "redirect", "pkce"})
    | _TOKEN_REQUEST
    | _REFRESH,
    "device_code": frozenset({"device_authorization_url", "token_url"}) | _TOKEN_REQUEST | _REFRESH,
    "client_credentials": frozenset({"token_url"}) | _TOKEN_REQUEST,
    "jwt_bearer": frozenset({"token_url"}) | _TOKEN_REQUEST,
    "login": frozenset({"login", "jwt"}),
    "jwt": frozenset({"jwt"}),
    "none": frozenset({"none"}),
    "static": frozenset({"basic"}),
}
"""Kind → the keys that it may have beside `use`, `secrets`, `headers` and `query`."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "authorization_code": ("authorize_url", "token_url"),
    "device_code": ("device_authorization_url", "token_url"),
    "client_credentials": ("token_url",),
    "jwt_bearer": ("token_url", "jwt"),
}
"""Flow → the keys that it needs."""


def kind_of(method: Mapping[str, Any]) -> str:
    """Return the kind of a method as it is written: its flow, or the first of the other kinds whose key it has."""
    flow: str = method.get("flow", "")
    return flow or next((kind for kind in ("login", "jwt", "none") if kind in method), "static")


def obtains_token(kind: str) -> bool:
    """Whether methods of a kind obtain a token."""
    return kind in NEEDED or kind == "login"
