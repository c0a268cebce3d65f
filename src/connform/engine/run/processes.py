"""Forked processes, where several cores finish the work sooner: those that share it, and the signals of all. Layer 3; forks.

A fork copies the caller's memory, with what it has read: secrets need not be passed on. Locks of other threads are copied too, and would
never be released, so that only a process of one thread forks.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from multiprocessing import current_process, get_context
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import TypeVar

from connform.debug_log import HTTP

A = TypeVar("A")
T = TypeVar("T")

_LEAST_SHARE = 100
"""A process takes as long to begin as some twenty checks."""
_INTERRUPTIONS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])}


def can_fork() -> bool:
    """Return whether a fork of this process is safe, and nobody listens to the debug log, which would lack what the child does."""
    if sys.platform != "linux" or threading.active_count() > 1:  # frameworks of macOS use threads of their own
        return False
    if HTTP.is_on:
        return False
    return not current_process().daemon  # `multiprocessing` allows such a one no processes


def process_count(items: int) -> int:
    """Return how many processes share a number of items: 1 where a fork isn't safe or doesn't pay."""
    if sys.platform != "linux" or not can_fork():  # the first part is for mypy: only Linux tells the cores of a process
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), items // _LEAST_SHARE))


@contextmanager
def shared_with(
    work: Callable[[Sequence[A]], Iterable[T]], items: Sequence[A], processes: int, deliver: Callable[[T], object]
) -> Iterator[None]:
    """Call `work` with a share of the items in each of several other processes, while this process does what is in the block.

    The end of the block waits for them, and raises what `deliver` raised. Where the block raises, they end at once. Not delivered are the
    results of a process that does not start for want of memory or files, and those that one which ends early had left: the system kills
    it, or `work` raises.

    Args:
        work: takes a share, and yields results that can be pickled.
        items: the items.
        processes: how many other processes.
        deliver: gets each result as it comes, in a thread of its own, so that no process waits for this one.
    """
    context = get_context("fork")
    children = []
    receivers: list[Connection] = []
    errors: list[BaseException] = []
    reader = Thread(target=_deliver, args=(receivers, deliver, errors), name="connform-results", daemon=True)
    try:
        with suppress(OSError), without_signals():
            for number in range(processes):
                receiver, sender = context.Pipe(duplex=False)
                receivers.append(receiver)
                with closing(sender):
                    arguments = ([*receivers], sender, work, items[number::processes])
                    child = context.Process(target=_serve, args=arguments, daemon=True)
                    child.start()
                children.append(child)
        reader.start()
        yield
        reader.join()
    finally:
        for child in children:
            child.kill()  # SIGTERM would not end one that is stopped
            child.join()
        if reader.is_alive():
            reader.join()  # each pipe is at its end
    for error in errors:
        raise error


def _deliver(receivers: list[Connection], deliver: Callable[[T], object], errors: list[BaseException]) -> None:
    """Deliver what the other processes send, until all of them have ended."""
    while receivers:
        ready = wait(receivers)
        for receiver in [one for one in receivers if one in ready]:
            try:
                result = receiver.recv()
            except Exception:  # noqa: BLE001  (it has ended, maybe while it sent; or this can't be unpickled: the caller does the rest)
                receivers.remove(receiver)
            else:
                try:
                    deliver(result)
                except BaseException as error:  # noqa: BLE001  (the caller gets it)
                    errors.append(error)
                    return


def _serve(
    receivers: Sequence[Connection], sender: Connection, work: Callable[[Sequence[A]], Iterable[T]], share: Sequence[A]
) -> None:
    """Send the results of a share; the parent handles interruptions, and ends this process."""
    for receiver in receivers:  # else `send` would wait for ever where the parent has been killed
        receiver.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as by `nohup`
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTIONS)
    with suppress(Exception):  # the parent has ended; or it does the rest itself, and reports what is raised
        for result in work(share):
            sender.send(result)


@contextmanager
def without_signals() -> Iterator[None]:
    """Handle interruptions after the block: each process is known by then, or handles them itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
