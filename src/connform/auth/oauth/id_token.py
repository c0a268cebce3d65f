"""Who granted access, by the claims of an ID token (OpenID Connect Core 1.0 §2 and §5.1). Layer 2, no IO.

It is shown to people, and nothing is decided by it. Its signature isn't checked: it comes from the token endpoint over TLS
(§3.1.3.7, number 6).
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from typing import Any

_CLAIMS = ("email", "preferred_username", "name", "sub")
"""Claims that name a person, the most telling first."""
_MAX_CHARACTERS = 200


def account_in(id_token: Any) -> str:
    """Return what names the person; empty for anything but an ID token with such a claim."""
    if not isinstance(id_token, str):
        return ""
    _, _, rest = id_token.partition(".")
    payload = rest.partition(".")[0]
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    values = [claims.get(name) for name in _CLAIMS] if isinstance(claims, dict) else []
    named = next((value for value in values if isinstance(value, str) and value), "")
    return named if len(named) <= _MAX_CHARACTERS and named.isprintable() else ""
