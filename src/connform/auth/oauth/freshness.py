"""The age of an access token: whether it may still be sent, and whether a 401 can be about its age.

Layer 2, no IO, no clock of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from connform.grant import GrantFacts

_LEEWAY: Final = timedelta(seconds=60)
"""A token is renewed that long before it ends, or a tenth of its life, where that is less."""
_YOUNG_FOR: Final = timedelta(seconds=60)
"""A younger token that is refused is not renewed: its scope is wrong, not its age. Or half of its life, where that is less."""


def is_fresh(facts: GrantFacts, now: datetime) -> bool:
    """Return whether the access token lasts for another request."""
    if facts.expires_at is None:
        return True
    return now < facts.expires_at - min(_LEEWAY, (facts.expires_at - facts.obtained_at) / 10)


def is_young(facts: GrantFacts, now: datetime) -> bool:
    """Return whether the access token is younger than a 401 can explain; one from the future is of a clock that was put back."""
    young_for = min(_YOUNG_FOR, (facts.expires_at - facts.obtained_at) / 2) if facts.expires_at else _YOUNG_FOR
    return timedelta() <= now - facts.obtained_at < young_for
