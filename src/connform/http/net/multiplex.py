"""Performs the steps of many generators at once, in one thread that waits for all of their sockets together.

Layer 1, waits for sockets. A thread for each generator would take more memory, and a change of threads for each wait.
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from contextvars import Context, copy_context
from math import inf
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from connform.http.net.steps import Ready, Step, Steps

_END_S = 5.0
"""How long the end of the thread is waited for; it never blocks, and one step takes milliseconds."""
A = TypeVar("A")
T = TypeVar("T")


def run_many(work: Callable[[A], Steps[T]], arguments: Iterable[A], at_once: int) -> Iterator[tuple[A, T]]:
    """Perform the steps of `work` for each argument; yield the arguments with the results, in the order of their ends.

    What a generator raises is raised here. Where the caller stops early, as by an interruption, generators that run are closed, and with
    them their sockets: the thread is another one than the caller's, so that no step is interrupted in its middle.

    Args:
        work: returns the generator of an argument.
        arguments: one for each generator.
        at_once: how many run at the same time.
    """
    waiting = deque(arguments)
    count = len(waiting)
    if not count:
        return
    loop = _Loop(work, waiting, max(at_once, 1))
    thread = Thread(target=loop.run, name="connform-steps", daemon=True)
    thread.start()
    try:
        for _ in range(count):
            argument, result = loop.done.get()
            yield argument, result.result()
    finally:
        loop.stop()
        thread.join(_END_S)  # one that still uses OpenSSL while the interpreter ends would crash it


class _Task(Generic[A, T]):
    """A generator that runs."""

    __slots__ = ("argument", "context", "ends_at", "sockets", "steps")

    def __init__(self, argument: A, steps: Steps[T], context: Context) -> None:
        self.argument = argument
        self.steps = steps
        self.context = context
        self.sockets: Iterable[socket.socket] = ()
        self.ends_at = inf


class _Loop(Generic[A, T]):
    """Runs the generators."""

    def __init__(self, work: Callable[[A], Steps[T]], waiting: deque[A], at_once: int) -> None:
        self._work, self._waiting, self._at_once = work, waiting, at_once
        self.done: SimpleQueue[tuple[A, Future[T]]] = SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._running: set[_Task[A, T]] = set()
        self._look_at = inf
        """No time-out ends before."""
        self._blocked: SimpleQueue[tuple[_Task[A, T], Future[Any]]] = SimpleQueue()
        """The outcomes of steps that blocked a thread of their own."""
        self._wakes, self._waker = socket.socketpair()
        self._is_stopped = False
        self._context = copy_context()  # of the caller

    def run(self) -> None:
        with self._selector, closing(self._wakes), closing(self._waker):
            self._wakes.settimeout(0)
            self._selector.register(self._wakes, selectors.EVENT_READ)
            try:
                self._begin_more()
                while self._running and not self._is_stopped:
                    self._wait()
                    self._begin_more()
                for task in self._running:
                    task.context.run(task.steps.close)
            except BaseException as error:  # noqa: BLE001  (the caller of `run_many` gets it, and would wait for ever without)
                for task in [*self._running]:
                    self._end(task, error)

    def stop(self) -> None:
        """Close the generators that run; called by another thread."""
        self._is_stopped = True
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # the loop has ended
            self._waker.send(b"\0")

    def _begin_more(self) -> None:
        while self._waiting and len(self._running) < self._at_once and not self._is_stopped:
            argument = self._waiting.popleft()
            task = _Task(argument, self._work(argument), self._context.copy())
            self._running.add(task)
            self._resume(task, None)

    def _wait(self) -> None:
        """Wait for sockets, for other steps or for a time-out, and resume what can go on."""
        ready: dict[_Task[A, T], list[Any]] = {}
        for key, _ in self._selector.select(None if self._look_at == inf else max(self._look_at - monotonic(), 0.0)):
            if key.data is None:
                self._wakes.recv(4096)
            else:
                ready.setdefault(key.data, []).append(key.fileobj)
        while not self._blocked.empty():
            task, outcome = self._blocked.get()
            self._resume(task, outcome)
        for task, sockets in ready.items():
            self._resume(task, sockets)
        if (now := monotonic()) >= self._look_at:
            for task in [one for one in self._running if one.ends_at <= now]:
                self._resume(task, [])
            self._look_at = min((task.ends_at for task in self._running), default=inf)

    def _resume(self, task: _Task[A, T], outcome: Any) -> None:
        """Continue a generator with the outcome of its step."""
        for sock in task.sockets:
            self._selector.unregister(sock)
        task.sockets, task.ends_at = (), inf
        try:
            if isinstance(outcome, Future) and (error := outcome.exception()):
                step = task.context.run(task.steps.throw, error)
            else:
                step = task.context.run(task.steps.send, outcome.result() if isinstance(outcome, Future) else outcome)
        except BaseException as error:  # noqa: BLE001  (the caller of `run_many` gets it)
            self._end(task, error)
        else:
            self._begin(task, step)

    def _begin(self, task: _Task[A, T], step: Step) -> None:
        """Begin to wait for a step."""
        if not isinstance(step, Ready):
            Thread(target=self._block, args=(task, step), daemon=True).start()
            return
        event = selectors.EVENT_WRITE if step.for_writing else selectors.EVENT_READ
        for sock in step.sockets:
            self._selector.register(sock, event, task)
        task.sockets, task.ends_at = step.sockets, step.ends_at
        self._look_at = min(self._look_at, step.ends_at)

    def _block(self, task: _Task[A, T], step: Step) -> None:
        outcome: Future[Any] = Future()
        try:
            outcome.set_result(task.context.copy().run(step.block))
        except BaseException as error:  # noqa: BLE001  (the generator raises it)
            outcome.set_exception(error)
        self._blocked.put((task, outcome))
        self._wake()

    def _end(self, task: _Task[A, T], error: BaseException) -> None:
        self._running.discard(task)
        result: Future[T] = Future()
        if isinstance(error, StopIteration):
            result.set_result(error.value)
        else:
            result.set_exception(error)
        self.done.put((task.argument, result))
