"""Daemon threads: a call with a time limit, and many calls at once.

Layer 3, no IO of its own. A store that hangs delays neither the run nor the end of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def call_with_limit(work: Callable[[], T], limit_s: float | None) -> T:
    """Call `work` in a thread, and return or raise what it does.

    Raises:
        TimeoutError: it took longer than `limit_s`; the thread continues, at most until the process ends.
    """
    future: Future[T] = Future()
    Thread(target=_complete, args=(future, work), daemon=True).start()
    return future.result(limit_s)


def run_all(jobs: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """Return the results of jobs, in their order; `at_once` limits how many run at once.

    All jobs are done before the first exception among their results is raised.
    """
    if len(jobs) == 1:
        return [jobs[0]()]
    results: list[Future[T]] = [Future() for _ in jobs]
    indexes = SimpleQueue[int]()
    for index in range(len(jobs)):
        indexes.put(index)

    def worker() -> None:
        while True:
            try:
                index = indexes.get_nowait()
            except Empty:
                return
            _complete(results[index], jobs[index])

    threads = [Thread(target=worker, daemon=True) for _ in range(min(at_once, len(jobs)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [result.result() for result in results]


def _complete(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  (the caller that waits gets it)
        future.set_exception(error)
