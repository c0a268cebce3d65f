"""Forked processes, where several cores finish the work sooner: those that share it, and the signals of all. Layer 3; forks.

A fork copies the caller's memory, with what it has read: secrets need not be passed on. Locks of other threads are copied too, and would
never be released, so that only a process of one thread forks.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, NoReturn, TypeVar

A = TypeVar("A")
T = TypeVar("T")

_LEAST_SHARE = 100
"""A process takes as long to begin as some twenty checks."""
_INTERRUPTIONS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])}
_LENGTH_BYTES = 4
"""Before each result stands its length."""
_READ_BYTES = 1024 * 1024


class _Child(NamedTuple):
    """A process that was forked."""

    pid: int
    """Its number."""
    results: int
    """The descriptor from which its results are read."""


def can_fork() -> bool:
    """Return whether a fork of this process is safe."""
    if sys.platform != "linux" or threading.active_count() > 1:  # frameworks of macOS use threads of their own
        return False
    multiprocessing = sys.modules.get("multiprocessing.process")  # its import takes 15 ms
    return not (multiprocessing and multiprocessing.current_process().daemon)  # such a one is allowed no processes


def process_count(items: int) -> int:
    """Return how many processes share a number of items: 1 where a fork isn't safe or doesn't pay."""
    if sys.platform != "linux" or not can_fork():
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), items // _LEAST_SHARE))


def fork_each(work: Callable[[Sequence[A]], Iterable[T]], items: Sequence[A], processes: int) -> Iterator[T]:
    """Call `work` with a share of the items in each of several processes; yield the results as they come.

    Missing are the results of a process that does not start for want of memory or files, and those that one which ends early had left:
    the system kills it, or `work` raises. Where the caller stops early, the processes end.

    Args:
        work: takes a share, and yields results that can be pickled.
        items: the items.
        processes: how many processes.
    """
    children: list[_Child] = []
    try:
        with suppress(OSError), without_signals():
            for number in range(processes):
                children.append(_fork(work, items[number::processes], children))
        yield from _results([child.results for child in children])
    finally:
        for child in children:
            os.kill(child.pid, signal.SIGKILL)  # SIGTERM would not end one that is stopped
            os.waitpid(child.pid, 0)
            os.close(child.results)


def _fork(work: Callable[[Sequence[A]], Iterable[T]], share: Sequence[A], siblings: Sequence[_Child]) -> _Child:
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        raise
    else:
        if not pid:
            _serve(work, share, writer, [reader, *(one.results for one in siblings)])
    finally:
        os.close(writer)
    return _Child(pid, reader)


def _serve(
    work: Callable[[Sequence[A]], Iterable[T]], share: Sequence[A], writer: int, inherited: Sequence[int]
) -> NoReturn:
    """Send the results of a share, and end this process; the parent handles interruptions, and ends it too."""
    try:
        for reader in inherited:  # else a write would wait for ever where the parent has been killed
            os.close(reader)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as by `nohup`
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTIONS)
        with open(writer, "wb") as pipe:
            for result in work(share):
                data = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
                pipe.write(len(data).to_bytes(_LENGTH_BYTES) + data)
                pipe.flush()
    finally:
        os._exit(0)  # whatever is raised: the parent has ended; or it does the rest itself, and reports what is raised


def _results(readers: Iterable[int]) -> Iterator[T]:
    """Yield the results that processes send, until each has ended; one that was cut is missing."""
    received = {reader: bytearray() for reader in readers}
    poll = select.poll()
    for reader in received:
        poll.register(reader, select.POLLIN)
    while received:
        for reader, _ in poll.poll():
            data = os.read(reader, _READ_BYTES)
            if data:
                received[reader] += data
                yield from _complete(received[reader])
            else:
                poll.unregister(reader)
                del received[reader]


def _complete(received: bytearray) -> Iterator[T]:
    """Yield the results that were received as a whole, and remove them."""
    while len(received) >= _LENGTH_BYTES:
        end = _LENGTH_BYTES + int.from_bytes(received[:_LENGTH_BYTES])
        if len(received) < end:
            return
        yield pickle.loads(received[_LENGTH_BYTES:end])  # noqa: S301  (of a process that this one forked)
        del received[:end]


@contextmanager
def without_signals() -> Iterator[None]:
    """Handle interruptions after the block: each process is known by then, or handles them itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
