"""What a program that runs for long asks of a secret store: failures and logins end, secrets that were refused are read again."""

from __future__ import annotations

import pytest

from connform.diagnostics import Span
from connform.engine.run import store_session
from connform.engine.run.secret_resolver import SecretResolver
from connform.errors import SecretUnresolved
from connform.manifest.model import Connection
from connform.secrets.kit.interface import Fetched
from tests.engine.test_stores import HERE, Counting, store, wanted

NOWHERE = Span("connections.yaml", 1, 1, 1, 2)
NOT_FOUND, DENIED, UNAVAILABLE = "secret_not_found", "secret_denied", "secret_backend_unavailable"


class Clock:
    """The clock of the sessions."""

    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(store_session, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr("connform.engine.load.catalog.BACKENDS", {"counting": counting, "env": counting})
    return counting


def outcome(source: SecretResolver, name: str = "a") -> str:
    """Return the fault of a reference of the store `corp`; empty if it was read."""
    (found,) = source.read(wanted(f"corp://{name}"))
    return "" if isinstance(found, Fetched) else found.fault.name


@pytest.mark.parametrize(("fault", "kept_s"), [(NOT_FOUND, 0), (UNAVAILABLE, 1), (DENIED, 10)])
def test_a_failure_is_kept_for_its_time(counting: Counting, clock: Clock, fault: str, kept_s: float) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    counting.failure = lambda _: SecretUnresolved(fault, "no")
    assert outcome(source) == fault
    counting.failure = lambda _: None
    clock.now += kept_s / 2
    assert outcome(source) == (fault if kept_s else "")
    clock.now += kept_s / 2
    assert outcome(source) == ""
    assert (len(counting.opened), counting.closed) == (2, 1), "the store was not opened anew"


def test_a_login_that_has_ended_is_repeated_at_once_and_a_refused_one_is_not(counting: Counting, clock: Clock) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    assert outcome(source, "first") == ""
    counting.failure = lambda _: SecretUnresolved(DENIED, "the token has ended") if len(counting.opened) == 1 else None
    assert outcome(source, "second") == ""
    assert len(counting.opened) == 2
    counting.failure = lambda _: SecretUnresolved(DENIED, "the account is locked")
    for number in range(5):
        assert outcome(source, f"more-{number}") == DENIED
    assert len(counting.opened) == 2, "each connection logged in"
    clock.now += 11
    assert outcome(source, "later") == DENIED
    assert len(counting.opened) == 3


def test_after_three_time_outs_a_store_is_asked_again_a_second_later(counting: Counting, clock: Clock) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    counting.failure = lambda _: SecretUnresolved(UNAVAILABLE, "it is down")
    assert [outcome(source, f"c{number}") for number in range(5)] == [UNAVAILABLE] * 5
    assert len(counting.reads) == 3
    counting.failure = lambda _: None
    clock.now += 1
    assert outcome(source, "c0") == ""


def test_a_store_is_opened_with_credentials_that_are_read_anew(counting: Counting, clock: Clock) -> None:
    source = SecretResolver({"corp": store("corp", {"auth.token": "env://STORE_TOKEN"})}, long_lived=True)
    for _ in range(3):
        assert outcome(source) == ""
        source.expire_all()
    assert [str(read) for read in counting.reads].count("['env://STORE_TOKEN']") == 3


def declared() -> Connection:
    auth = {"method": "bearer", "token": "corp://pair#token", "other": "corp://pair#other"}
    return Connection("acme", "http", {"auth": auth}, HERE, NOWHERE, lambda _: {"token", "other"})


def test_secrets_that_were_refused_are_read_again_together_and_once_for_all_who_were(
    counting: Counting, clock: Clock
) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    source.secrets(declared())
    for _ in range(3):
        source.secrets_again(declared())
    pair = ["corp://pair#token", "corp://pair#other"]
    assert counting.reads == [pair, pair]
    assert len(counting.opened) == 2
    clock.now += 1.1
    source.secrets_again(declared())
    assert counting.reads == [pair] * 3


def test_in_a_run_nothing_is_read_twice(counting: Counting, clock: Clock) -> None:
    source = SecretResolver({"corp": store("corp")})
    counting.failure = lambda reference: SecretUnresolved(DENIED, "no") if reference.path == "bad" else None
    for _ in range(2):
        source.secrets(declared())
        source.secrets_again(declared())
        assert outcome(source, "bad") == DENIED
        clock.now += 100
    assert (len(counting.opened), len(counting.reads)) == (1, 2)
