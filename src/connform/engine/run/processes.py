"""Shares work among forked processes, where several cores finish it sooner. Layer 3; forks.

A fork copies the caller's memory, with what it has read: secrets need not be passed on. Locks of other threads are copied too, and would
never be released, so that only a process of one thread forks.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")

_LEAST_SHARE = 100
"""A process takes as long to begin as some twenty checks."""


def process_count(items: int) -> int:
    """Return how many processes share a number of items: 1 where a fork isn't safe or doesn't pay."""
    if sys.platform != "linux" or threading.active_count() > 1:  # frameworks of macOS use threads of their own
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), items // _LEAST_SHARE))


def fork_each(work: Callable[[Sequence[A]], Iterable[T]], items: Sequence[A], processes: int) -> Iterator[T]:
    """Call `work` with a share of the items in each of several processes; yield the results as they come.

    The results of a process that ends early, as one that the system kills for want of memory, are missing. Where the caller stops early,
    the processes end.

    Args:
        work: takes a share, and yields results that can be pickled.
        items: the items.
        processes: how many processes.
    """
    context = get_context("fork")
    children, receivers = [], []
    for number in range(processes):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_serve, args=(sender, work, items[number::processes]), daemon=True)
        child.start()
        sender.close()
        children.append(child)
        receivers.append(receiver)
    try:
        while receivers:
            for receiver in [one for one in receivers if one in wait(receivers)]:
                try:
                    yield receiver.recv()
                except EOFError:
                    receivers.remove(receiver)
    finally:
        for child in children:
            child.terminate()
            child.join()


def _serve(sender: Connection, work: Callable[[Sequence[A]], Iterable[T]], share: Sequence[A]) -> None:
    """Send the results of a share; the parent handles interruptions, and ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with suppress(BrokenPipeError):  # the parent has ended
        for result in work(share):
            sender.send(result)
