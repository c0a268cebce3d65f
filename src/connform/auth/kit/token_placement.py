"""Where an obtained token is sent: where the settings say, else as a bearer token (RFC 6750 §2.1).

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connform.auth.described.kinds import ACCESS_TOKEN, BEARER_TEXT
from connform.auth.interface import AuthInputs
from connform.auth.kit.placement import Placement
from connform.auth.kit.sent_secrets import placement_of
from connform.http.settings import HeaderLines
from connform.secret import Secret


def token_placement(auth: Mapping[str, Any]) -> Placement:
    """Return where the token and the further secrets of a method are sent."""
    placement = placement_of(auth)
    if any(placement.places(ACCESS_TOKEN)):
        return placement
    return placement_of({**auth, "headers": {**auth.get("headers", {}), **BEARER_TEXT}})


def placed_lines(inputs: AuthInputs) -> tuple[Callable[[Secret], HeaderLines], str]:
    """Return a function that returns what carries a token, and the authentication scheme in front of it; empty for none."""
    placement = token_placement(inputs.settings)

    def lines(token: Secret) -> HeaderLines:
        return placement.lines({**inputs.secrets, ACCESS_TOKEN: token}, inputs.values)

    return lines, placement.scheme
