"""The age of an access token: whether it may still be sent, and whether a 401 or 403 can be about its age.

Layer 2, no IO; callers pass the current time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connform.grant import GrantFacts

if TYPE_CHECKING:
    from connform.issued_token import TokenFacts

_LEEWAY = timedelta(seconds=60)
"""A token is renewed this long before it expires, or a tenth of its lifetime, whichever is less."""
_YOUNG_FOR = timedelta(seconds=60)
"""A token younger than this, or than half of its lifetime, is not renewed after a 401 or 403: the cause is not its age."""


def is_fresh(facts: GrantFacts | TokenFacts, now: datetime) -> bool:
    """Return whether the access token is valid long enough for another request."""
    if facts.expires_at is None:
        return True
    return now < facts.expires_at - min(_LEEWAY, (facts.expires_at - facts.obtained_at) / 10)


def is_valid(facts: GrantFacts | TokenFacts, now: datetime) -> bool:
    """Return whether the access token has not expired yet."""
    return facts.expires_at is None or now < facts.expires_at


def is_young(facts: GrantFacts | TokenFacts, now: datetime) -> bool:
    """Return whether the access token is so young that a 401 or 403 is not about its age.

    A token that was issued in the future is not young: the clock was set back.
    """
    young_for = min(_YOUNG_FOR, (facts.expires_at - facts.obtained_at) / 2) if facts.expires_at else _YOUNG_FOR
    return timedelta() <= now - facts.obtained_at < young_for
