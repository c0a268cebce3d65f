"""Daemon threads: a call with a time limit, and many calls at once.

Layer 3, no IO of its own. A store that hangs delays neither the run nor the end of the process.
"""

from __future__ import annotations

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def within(work: Callable[[], T], limit_s: float) -> T:
    """Return what `work` returns, or raise what it raises.

    Raises:
        TimeoutError: it took longer than `limit_s`; its thread goes on, and ends with the process at the latest.
    """
    future: Future[T] = Future()
    Thread(target=_settle, args=(future, work), daemon=True).start()
    return future.result(limit_s)


def all_of(jobs: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """Return what jobs return, in their order, so many at once; all are done before what one of them raises is raised."""
    if len(jobs) == 1:
        return [jobs[0]()]
    results: list[Future[T]] = [Future() for _ in jobs]
    waiting = SimpleQueue[int]()
    for index in range(len(jobs)):
        waiting.put(index)

    def work() -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except Empty:
                return
            _settle(results[index], jobs[index])

    threads = [Thread(target=work, daemon=True) for _ in range(min(at_once, len(jobs)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [result.result() for result in results]


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  (it belongs to whoever waits)
        future.set_exception(error)
