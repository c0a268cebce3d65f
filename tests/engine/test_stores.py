"""What a run asks of secret stores: each opened once, each document read once, no failure in the way of another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from connform.engine.run.secret_resolver import RequestedSecret, SecretResolver
from connform.engine.run.store_session import StoreSession
from connform.errors import ConnectionFailed, SecretUnresolved, StoreFailed
from connform.manifest.model import Store
from connform.secret import Secret, SecretReference
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import Fetched, OpenStore, Outcome, StoreConfig

HERE = Path()


@dataclass
class Counting:
    """A backend that counts what it is asked, and fails as it is told."""

    batch_size: int = 1
    failure: Callable[[SecretReference], SecretUnresolved | None] = lambda _: None
    login: SecretUnresolved | None = None
    form: str = "counting://name"
    opened: list[StoreConfig] = field(default_factory=list)
    reads: list[list[str]] = field(default_factory=list)
    closed: int = 0
    together: int = 0
    """How many read at once at most."""
    _reading: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def lint(self, reference: SecretReference, settings: Any) -> str:
        return ""

    def open(self, place: StoreConfig) -> OpenStore:
        self.opened.append(place)
        if self.login is not None:
            raise self.login
        return self

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        with self._lock:
            self.reads.append([str(reference) for reference in references])
            self._reading += 1
            self.together = max(self.together, self._reading)
        threading.Event().wait(0.01)
        with self._lock:
            self._reading -= 1
        return [self.failure(one) or Fetched(Secret(one.path), "1") for one in references]

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr("connform.engine.load.catalog.BACKENDS", {**BACKENDS, "counting": counting})
    return counting


def wanted(*texts: str) -> list[RequestedSecret]:
    return [RequestedSecret(SecretReference.parse(text), HERE) for text in texts]


def store(name: str, references: dict[str, str] | None = None, timeout_s: float = 5.0) -> Store:
    parsed = {key: SecretReference.parse(text) for key, text in (references or {}).items()}
    return Store(name, "counting", (), {"address": name}, HERE, timeout_s, parsed)


def test_a_thousand_references_to_ten_documents_are_ten_reads_of_a_store_opened_once(counting: Counting) -> None:
    source = SecretResolver({"corp": store("corp")})
    texts = [f"corp://document-{number % 10}#field-{number}" for number in range(1000)]
    assert all(isinstance(one, Fetched) for one in source.read(wanted(*texts)))
    assert all(isinstance(one, Fetched) for one in source.read(wanted(*texts)))
    source.close()
    assert (len(counting.opened), len(counting.reads), counting.closed) == (1, 10, 1)
    assert sorted(len(read) for read in counting.reads) == [100] * 10
    assert 1 < counting.together <= 8


@pytest.mark.parametrize(("batch_size", "sizes"), [(1, [1] * 7), (3, [1, 3, 3]), (10, [7]), (0, [7])])
def test_a_read_takes_as_many_documents_as_its_backend_wants(
    counting: Counting, batch_size: int, sizes: list[int]
) -> None:
    counting.batch_size = batch_size
    SecretResolver({}).read(wanted(*(f"counting://document-{number}" for number in range(7))))
    assert sorted(map(len, counting.reads)) == sizes


def test_versions_are_documents_of_their_own(counting: Counting) -> None:
    SecretResolver({}).read(wanted("counting://a", "counting://a?version=1", "counting://a#f"))
    assert sorted(counting.reads) == [["counting://a", "counting://a#f"], ["counting://a?version=1"]]


def test_a_failure_is_its_references_own_and_is_not_asked_for_again(counting: Counting) -> None:
    counting.failure = lambda reference: (
        SecretUnresolved("secret_not_found", "there is none") if reference.path == "bad" else None
    )
    source = SecretResolver({})
    for _ in range(2):
        bad, good = source.read(wanted("counting://bad", "counting://good"))
        assert isinstance(bad, SecretUnresolved)
        assert bad.message == "there is none (counting://bad)"
        assert isinstance(good, Fetched)
    assert len(counting.reads) == 2


def test_a_rejected_login_is_tried_once(counting: Counting) -> None:
    counting.login = SecretUnresolved("secret_denied", "wrong password")
    source = SecretResolver({"corp": store("corp")})
    for _ in range(3):
        outcomes = source.read(wanted(*(f"corp://document-{number}" for number in range(50))))
        assert {one.fault.name for one in outcomes if isinstance(one, SecretUnresolved)} == {"secret_denied"}
    assert (len(counting.opened), counting.reads) == (1, [])


def test_a_store_that_answers_nobody_is_asked_a_few_times(counting: Counting) -> None:
    counting.failure = lambda _: StoreFailed("no answer")
    outcomes = SecretResolver({}).read(wanted(*(f"counting://document-{number}" for number in range(100))))
    assert all(isinstance(one, SecretUnresolved) for one in outcomes)
    assert 3 <= len(counting.reads) < 20


def test_a_store_that_answers_nobody_after_a_bug_is_asked_a_few_times(counting: Counting) -> None:
    def fail(_: SecretReference) -> SecretUnresolved:
        if len(counting.reads) == 1:
            raise SecretUnresolved("plugin_error", "a bug")
        return StoreFailed("no answer")

    counting.batch_size, counting.failure = 0, fail
    outcomes = SecretResolver({}).read(wanted(*(f"counting://document-{number}" for number in range(100))))
    assert all(isinstance(one, SecretUnresolved) for one in outcomes)
    assert 4 <= len(counting.reads) < 21


def test_a_backend_that_keeps_no_time_is_given_up() -> None:
    place = StoreSession("the store slow", lambda: Counting(failure=lambda _: _hang()), 0.2)
    reference = SecretReference.parse("slow://a")
    started = monotonic()
    outcome = place.read([reference])[reference]
    assert monotonic() - started < 10
    assert isinstance(outcome, SecretUnresolved)
    assert outcome.fault.name == "secret_backend_unavailable"
    assert outcome.message == "the store slow did not answer within 0.2 s (slow://a)"


def _hang() -> None:
    threading.Event().wait(30)


def test_what_opens_a_store_is_read_first_and_handed_over(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_TOKEN", "t0ken")
    source = SecretResolver({"corp": store("corp", {"auth.token": "env://STORE_TOKEN"})})
    source.read(wanted("corp://a"))
    (place,) = counting.opened
    assert place.secrets["auth.token"].reveal() == "t0ken"


def test_a_store_that_cannot_be_opened_says_why(counting: Counting) -> None:
    source = SecretResolver({"corp": store("corp", {"auth.token": "env://STORE_TOKEN"})})
    (outcome,) = source.read(wanted("corp://a"))
    assert isinstance(outcome, SecretUnresolved)
    assert outcome.fault.name == "secret_not_found"
    assert outcome.message.startswith("the store corp can't be opened: environment variable STORE_TOKEN is not set")
    assert outcome.message.endswith("(corp://a)")


def test_many_threads_open_and_read_once(counting: Counting) -> None:
    source = SecretResolver({})
    threads = [threading.Thread(target=source.read, args=(wanted("counting://a", "counting://b"),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(counting.opened), len(counting.reads)) == (1, 2)


def test_an_unknown_scheme_is_not_a_missing_secret() -> None:
    with pytest.raises(ConnectionFailed) as caught:
        SecretResolver({}).fetch([SecretReference.parse("nowhere://a")], HERE)
    assert caught.value.fault.name == "config_invalid"


@pytest.mark.parametrize("error", [SecretUnresolved("plugin_error", "a bug"), RuntimeError("a bug")])
def test_a_store_that_cannot_be_closed_ends_no_run(
    counting: Counting, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: Counting) -> None:
        raise error

    monkeypatch.setattr(Counting, "close", fail)
    source = SecretResolver({"corp": store("corp")})
    (outcome,) = source.read(wanted("corp://a"))
    source.close()
    assert isinstance(outcome, Fetched)
