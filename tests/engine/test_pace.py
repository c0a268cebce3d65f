"""How fast a store is read that limits the rate, and what a store is that failed: a time-out, not one bad reference."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import pytest

from connform.engine.run.store_session import StoreSession
from connform.errors import RateLimited, SecretUnresolved, StoreFailed
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Fetched, Outcome

UNAVAILABLE = "secret_backend_unavailable"


class Limited:
    """A store that permits so many reads in a period; `answer` may make other outcomes."""

    def __init__(
        self,
        permitted: int = 1000,
        period_s: float = 0.2,
        retry_after_s: float | None = None,
        answer: Callable[[SecretReference], Outcome] = lambda one: Fetched(Secret(one.path)),
        batch_size: int = 1,
    ) -> None:
        self.batch_size = batch_size
        self.reads: list[list[str]] = []
        self.together = 0
        """How many read at once at most, since somebody set it to 0."""
        self._running = 0
        self._permitted = permitted
        self._period_s = period_s
        self._retry_after_s = retry_after_s
        self._answer = answer
        self._began, self._left = monotonic(), permitted
        self._lock = threading.Lock()

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        with self._lock:
            self.reads.append([one.path for one in references])
            self._running += 1
            self.together = max(self.together, self._running)
            if monotonic() - self._began >= self._period_s:
                self._began, self._left = monotonic(), self._permitted
            self._left -= 1
            is_limited = self._left < 0
        threading.Event().wait(0.005)
        with self._lock:
            self._running -= 1
        if is_limited:
            raise RateLimited("it answered 429", retry_after_s=self._retry_after_s)
        return [self._answer(one) for one in references]

    def close(self) -> None:
        pass


def outcomes_of(store: Any, count: int, timeout_s: float = 5.0) -> list[str]:
    """Return the values and the messages of so many references, read as in a run."""
    session = StoreSession("the store s", lambda: store, timeout_s)
    references = [SecretReference.parse(f"s://{number}") for number in range(count)]
    found = session.read(references)
    return [
        one.secret.reveal() if isinstance(one, Fetched) else one.message.partition(" (s://")[0]
        for one in (found[reference] for reference in references)
    ]


@pytest.mark.parametrize("retry_after_s", [None, 0.0])
def test_everything_is_read_in_the_time_that_a_limit_demands(retry_after_s: float | None) -> None:
    store = Limited(permitted=10, retry_after_s=retry_after_s)
    started = monotonic()
    assert outcomes_of(store, 40) == [str(number) for number in range(40)]
    assert 0.6 <= monotonic() - started < 4.0
    assert len(store.reads) < 80


def test_the_whole_run_may_take_longer_than_the_time_of_a_read() -> None:
    assert outcomes_of(Limited(permitted=4), 28, timeout_s=1.0) == [str(number) for number in range(28)]


def test_a_store_with_a_limit_is_read_by_fewer_at_once() -> None:
    store = Limited(permitted=8, period_s=0.1)
    session = StoreSession("the store s", lambda: store, 5.0)
    session.read([SecretReference.parse(f"s://{number}") for number in range(80)])
    assert store.together > 1
    store.together = 0
    session.read([SecretReference.parse(f"s://later-{number}") for number in range(10)])
    assert store.together == 1


def test_only_what_was_limited_of_a_batch_is_read_again() -> None:
    limits = [RateLimited("wait")]
    store = Limited(
        answer=lambda one: limits.pop() if one.path == "2" and limits else Fetched(Secret(one.path)), batch_size=0
    )
    assert outcomes_of(store, 4) == ["0", "1", "2", "3"]
    assert store.reads == [["0", "1", "2", "3"], ["2"]]


def test_a_batch_of_which_a_part_is_read_is_progress() -> None:
    class OneAtATime(Limited):
        def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
            limited = RateLimited("it answered 429")
            return [self._answer(one) if one is references[0] else limited for one in references]

    assert outcomes_of(OneAtATime(batch_size=0), 9, timeout_s=0.9) == [str(number) for number in range(9)]


@pytest.mark.parametrize(
    ("retry_after_s", "timeout_s", "message"),
    [
        (3600.0, 3.0, "it answered 429, and asks to wait for 3600 s; `timeout_s` is 3"),
        (None, 0.5, "it answered 429, and let no read through within the 0.5 s of `timeout_s`"),
    ],
)
def test_a_limit_that_lasts_too_long_ends_the_reads(
    retry_after_s: float | None, timeout_s: float, message: str
) -> None:
    store = Limited(permitted=0, retry_after_s=retry_after_s)
    started = monotonic()
    told = outcomes_of(store, 100, timeout_s)
    assert monotonic() - started < 2.9
    assert set(told) == {
        message,
        "the store s limited the rate for longer than its `timeout_s` allows, 3 times in a row, and was not asked again",
    }
    assert len(store.reads) < 30


@pytest.mark.parametrize(
    "failure",
    [
        SecretUnresolved(UNAVAILABLE, "op exited with status 1"),
        SecretUnresolved("secret_malformed", "2 have the name"),
        SecretUnresolved("secret_denied", "it may not be read"),
    ],
)
def test_what_is_wrong_with_references_stops_no_others(failure: SecretUnresolved) -> None:
    store = Limited(answer=lambda one: failure if int(one.path) < 20 else Fetched(Secret(one.path)))
    assert outcomes_of(store, 40)[20:] == [str(number) for number in range(20, 40)]


def test_a_store_that_fails_is_asked_a_few_times() -> None:
    store = Limited(answer=lambda _: StoreFailed("no answer"))
    told = outcomes_of(store, 40)
    assert told[0] == "no answer"
    assert told[-1] == "the store s did not answer 3 times in a row, and was not asked again"
    assert 3 <= len(store.reads) < 12
