"""What a program that runs for long asks of a secret store: failures and logins end, secrets that were refused are read again."""

from __future__ import annotations

import threading

import pytest

from connform.diagnostics import Span
from connform.engine.run import store_session
from connform.engine.run.secret_resolver import SecretResolver
from connform.errors import SecretUnresolved, StoreFailed
from connform.manifest.model import Connection
from connform.secrets.kit.interface import Fetched
from tests.engine.test_stores import HERE, Counting, store, wanted
from tests.forking import forked

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
    counting.failure = lambda _: StoreFailed("it is down")
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


def declared(**settings: object) -> Connection:
    auth = {"method": "bearer", "token": "corp://pair#token", "other": "corp://pair#other"}
    return Connection("acme", "http", {"auth": auth, **settings}, HERE, NOWHERE, lambda *_: {"token", "other"})


def test_the_password_of_a_proxy_is_read_with_the_other_secrets_and_is_none_of_theirs(counting: Counting) -> None:
    proxy = {"url": "http://proxy", "username": "ci", "password": "corp://proxy"}
    connection = declared(proxy=proxy)
    source = SecretResolver({"corp": store("corp")})
    source.prepare([connection])
    assert sorted(counting.reads) == [["corp://pair#token", "corp://pair#other"], ["corp://proxy"]]
    assert list(source.secrets(connection)) == ["token", "other"]
    assert list(source.versions(connection)) == ["token", "other", "proxy.password"]


PAIR = ["corp://pair#token", "corp://pair#other"]


def test_secrets_that_were_refused_are_read_again_together_and_once_a_second(counting: Counting, clock: Clock) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    secrets = source.secrets(declared())
    for _ in range(3):
        secrets = source.secrets_again(declared(), secrets)
    assert counting.reads == [PAIR, PAIR]
    assert len(counting.opened) == 2
    clock.now += 1.1
    source.secrets_again(declared(), secrets)
    assert counting.reads == [PAIR] * 3


def test_secrets_that_were_read_again_long_ago_are_read_again(counting: Counting, clock: Clock) -> None:
    """A program may have a client that did not ask for anything while its secret was replaced twice."""
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    long_ago = source.secrets(declared())
    source.secrets_again(declared(), long_ago)
    clock.now += 1.1
    source.secrets_again(declared(), long_ago)
    assert counting.reads == [PAIR] * 3


def test_callers_that_are_refused_while_another_one_reads_wait_for_it(
    counting: Counting, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    refused = source.secrets(declared())
    others = [threading.Thread(target=source.secrets_again, args=(declared(), refused)) for _ in range(3)]
    asked = threading.Semaphore(0)

    def monotonic() -> float:
        now = clock.now
        if threading.current_thread() in others:
            asked.release()
        return now

    def slow(_: object) -> None:
        counting.failure = lambda _: None
        for other in others:
            other.start()
        assert all(asked.acquire(timeout=10) for _ in others)
        clock.now += 5

    monkeypatch.setattr(store_session, "monotonic", monotonic)
    counting.failure = slow
    source.secrets_again(declared(), refused)
    for other in others:
        other.join()
    assert counting.reads == [PAIR, PAIR]


def test_what_is_known_needs_no_wait_for_what_another_one_reads(counting: Counting) -> None:
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    assert outcome(source, "known") == ""
    found: list[str] = []

    def slow(_: object) -> None:
        asking = threading.Thread(target=lambda: found.append(outcome(source, "known")), daemon=True)
        asking.start()
        asking.join(10)

    counting.failure = slow
    assert outcome(source, "slow") == ""
    assert found == [""]


def test_a_child_that_reads_what_it_inherited_can_read_again_at_once(counting: Counting, clock: Clock) -> None:
    """Its parent's secret may be old; the one that the child has read may be replaced a moment later."""
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    inherited = source.secrets(declared())

    def work() -> int:
        secrets = inherited
        for _ in range(4):
            secrets = source.secrets_again(declared(), secrets)
        return len(counting.reads)

    with forked(work) as child:
        assert child.result() == 3


def test_a_store_whose_logout_is_interrupted_is_opened_anew(
    counting: Counting, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by the time limit of a task, which a signal handler raises."""
    source = SecretResolver({"corp": store("corp")}, long_lived=True)
    secrets = source.secrets(declared())
    with monkeypatch.context() as patch:
        patch.setattr(Counting, "close", raising)
        with pytest.raises(InterruptedError):
            source.secrets_again(declared(), secrets)
    source.secrets(declared())
    assert len(counting.opened) == 2


def raising(_counting: Counting) -> None:
    raise InterruptedError


def test_in_a_run_nothing_is_read_twice(counting: Counting, clock: Clock) -> None:
    source = SecretResolver({"corp": store("corp")})
    counting.failure = lambda reference: SecretUnresolved(DENIED, "no") if reference.path == "bad" else None
    for _ in range(2):
        source.secrets_again(declared(), source.secrets(declared()))
        assert outcome(source, "bad") == DENIED
        clock.now += 100
    assert (len(counting.opened), len(counting.reads)) == (1, 2)
