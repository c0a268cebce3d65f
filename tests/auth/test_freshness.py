"""When an access token is renewed, and when a 401 may be about its age: to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connform.auth.oauth.freshness import is_fresh, is_young
from connform.grant import GrantFacts

OBTAINED = datetime(2026, 1, 1, tzinfo=UTC)


def token(life_s: float | None) -> GrantFacts:
    expires_at = None if life_s is None else OBTAINED + timedelta(seconds=life_s)
    return GrantFacts(
        connection="shop",
        token_url="https://id.acme.example/token",
        client_id="app",
        scopes=(),
        obtained_at=OBTAINED,
        expires_at=expires_at,
        is_renewable=True,
        revoke_url="",
    )


def after(seconds: float) -> datetime:
    return OBTAINED + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("life_s", "last_s"),
    [(3600, 3540), (601, 541), (600, 540), (599, 539.1), (300, 270), (10, 9)],
    ids=["an hour", "just above ten minutes", "ten minutes", "just below", "five minutes", "ten seconds"],
)
def test_a_token_is_renewed_a_minute_before_its_end_or_a_tenth_of_its_life(life_s: float, last_s: float) -> None:
    assert is_fresh(token(life_s), after(last_s - 0.01))
    assert not is_fresh(token(life_s), after(last_s))


@pytest.mark.parametrize(
    ("life_s", "youth_s"), [(None, 60), (3600, 60), (120, 60), (60, 30)], ids=["no end", "an hour", "two", "one minute"]
)
def test_a_refused_token_is_young_for_a_minute_or_half_of_its_life(life_s: float | None, youth_s: float) -> None:
    assert is_young(token(life_s), after(youth_s - 0.01))
    assert not is_young(token(life_s), after(youth_s))


def test_a_token_without_an_end_stays_fresh_and_one_from_the_future_is_not_young() -> None:
    assert is_fresh(token(None), after(10**9))
    assert is_young(token(60), OBTAINED)
    assert not is_young(token(60), after(-1))
