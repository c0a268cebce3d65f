"""Where an obtained token or a signed JWT is sent: where the settings say, else as a bearer token (RFC 6750 §2.1).

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connform.auth.described.kinds import ACCESS_TOKEN
from connform.auth.interface import AuthInputs
from connform.auth.kit.placement import Placement
from connform.auth.kit.sent_secrets import placement_of
from connform.http.credential import HeaderLines
from connform.secret import Secret


def token_placement(auth: Mapping[str, Any], name: str = ACCESS_TOKEN) -> Placement:
    """Return where the token, which has a name in texts, and the further secrets of a method are sent."""
    if "headers" in auth or "query" in auth:
        return placement_of(auth)
    return placement_of({"headers": {"Authorization": f"Bearer {{{name}}}"}})


def placed_lines(inputs: AuthInputs, name: str = ACCESS_TOKEN) -> tuple[Callable[[Secret], HeaderLines], str]:
    """Return a function that returns what carries a token, and the authentication scheme in front of it; empty for none."""
    placement = token_placement(inputs.settings, name)

    def lines(token: Secret) -> HeaderLines:
        return placement.lines({**inputs.secrets, name: token}, inputs.values)

    return lines, placement.scheme
