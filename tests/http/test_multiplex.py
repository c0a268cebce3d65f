"""Many generators of steps in one thread: results, failures, fairness, and an early end."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from math import inf
from time import monotonic

import pytest

from connform.http.net.multiplex import run_many
from connform.http.net.steps import PASS, Ready, Steps
from tests.http.many import results_of


def after(seconds: float) -> Steps[float]:
    yield Ready((), monotonic() + seconds, for_writing=False)
    return seconds


def test_results_come_in_the_order_of_their_ends() -> None:
    assert [result for _, result in results_of(after, [0.3, 0.1, 0.2], 3)] == [0.1, 0.2, 0.3]


def test_no_more_run_at_once_than_allowed() -> None:
    running, most = 0, 0

    def work(_: int) -> Steps[None]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        yield Ready((), monotonic() + 0.01, for_writing=False)
        running -= 1

    assert len(results_of(work, range(20), 3)) == 20
    assert most == 3


def test_what_a_generator_raises_is_raised_here_and_ends_the_others() -> None:
    closed = threading.Event()

    def work(number: int) -> Steps[None]:
        if number:
            raise LookupError
        try:
            yield Ready((), inf, for_writing=False)
        finally:
            closed.set()

    with pytest.raises(LookupError):
        results_of(work, [0, 1], 2)
    assert closed.wait(10)


def test_one_that_never_has_to_wait_holds_up_no_other() -> None:
    ended = threading.Event()

    def work(name: str) -> Steps[str]:
        if name == "busy":
            while not ended.is_set():
                yield PASS
        else:
            yield from after(0.01)
            ended.set()
        return name

    assert [name for name, _ in results_of(work, ["busy", "short"], 2)] == ["short", "busy"]


def test_what_takes_the_results_may_raise_as_well() -> None:
    def refuse(_argument: float, _result: float) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run_many(after, [0.01, inf], 2, refuse)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_caller_has_every_result_and_what_runs_is_closed() -> None:
    one, other = socket.socketpair()
    found: list[str] = []

    def work(name: str) -> Steps[str]:
        if name == "first":
            return name
        with one:
            yield Ready([one], inf, for_writing=False)
        return name

    def deliver(name: str, _result: str) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        found.append(name)

    with other:
        with pytest.raises(KeyboardInterrupt):
            run_many(work, ["waits", "first"], 2, deliver)
        assert found == ["first"]
        other.settimeout(10)
        assert not other.recv(1), "the socket of the one that waited is closed"
    names = [thread.name for thread in threading.enumerate()]
    assert "connform-steps" not in names, "it could use OpenSSL while the interpreter ends, and crash the process"


def test_a_step_that_blocks_has_a_thread_of_its_own() -> None:
    both = threading.Barrier(2, timeout=10)

    class Blocking:
        def block(self) -> int:
            return both.wait()

        async def wait(self) -> int:
            raise NotImplementedError

    def work(_: int) -> Steps[int]:
        number: int = yield Blocking()
        return number

    assert sorted(result for _, result in results_of(work, [1, 2], 2)) == [0, 1]
