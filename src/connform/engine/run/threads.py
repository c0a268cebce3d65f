"""Calls in daemon threads, several at once, each with a time limit.

Layer 3, no IO of its own. A store that hangs delays neither the run nor the end of the process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import inf
from threading import TIMEOUT_MAX
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from connform.http.net.threads import in_thread

if TYPE_CHECKING:
    from concurrent.futures import Future

A = TypeVar("A")
T = TypeVar("T")


def call_each(
    work: Callable[[A], T], arguments: deque[A], delay_s: Callable[[int], float], limit_s: float = TIMEOUT_MAX
) -> Iterator[tuple[A, Future[T]]]:
    """Call `work` with each argument, in a thread of its own; yield the arguments with their futures, in the order of their ends.

    The next call begins when the next future is asked for. `future.result(0)` raises `TimeoutError` for a call that took
    longer than its limit; its thread continues, at most until the process ends.

    Args:
        work: the function.
        arguments: one for each call, taken from the left; more may be added meanwhile.
        delay_s: returns the seconds until the next call may begin, while a number of calls run: at most 0 for now, `inf` for
            not before one of those has ended. If none runs, it is not `inf`.
        limit_s: the time limit of each call.
    """
    from concurrent.futures import FIRST_COMPLETED, Future, wait  # 9 ms that stores which answer at once need not

    running: dict[Future[T], tuple[A, float]] = {}
    while arguments or running:
        while arguments and (pause_s := delay_s(len(running))) <= 0:
            future, argument = Future[T](), arguments.popleft()
            running[future] = argument, monotonic() + limit_s
            in_thread(_complete, future, work, argument)
        if not running:
            sleep(pause_s)
            continue
        _, first_end = next(iter(running.values()))
        wait(running, min(first_end - monotonic(), pause_s if arguments else inf), FIRST_COMPLETED)
        for future, (argument, ends_at) in list(running.items()):
            if future.done() or ends_at <= monotonic():
                del running[future]
                yield argument, future


def at_most(count: int) -> Callable[[int], float]:
    """Return a `delay_s` for `call_each` that lets so many calls run at once."""
    return lambda running: 0.0 if running < count else inf


def _complete(future: Future[T], work: Callable[[A], T], argument: A) -> None:
    try:
        future.set_result(work(argument))
    except BaseException as error:  # noqa: BLE001  (the caller that waits gets it)
        future.set_exception(error)
