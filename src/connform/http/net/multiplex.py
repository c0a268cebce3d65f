"""Performs the steps of many generators at once, in one thread that waits for all of their sockets together.

Layer 1, waits for sockets. A thread for each generator would take more memory, and a change of threads for each wait.
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from contextvars import Context, copy_context
from math import inf
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar

from connform.http.net.steps import Ready, Step, Steps
from connform.http.net.threads import in_thread

_END_S = 5.0
"""How long the end of the thread is waited for; it never blocks, and one step takes milliseconds."""
_LOOK_S = 0.5
"""How long a signal may wait."""
A = TypeVar("A")
T = TypeVar("T")


def run_many(
    work: Callable[[A], Steps[T]], arguments: Iterable[A], at_once: int, deliver: Callable[[A, T], object]
) -> None:
    """Perform the steps of `work` for each argument; give each argument with its result to `deliver`, in the order of their ends.

    Steps and `deliver` run in a thread of their own, so that an interruption of the caller breaks off neither, and loses no result:
    it ends the thread, which delivers what has ended, and closes the generators that run, and with them their sockets.
    What a generator or `deliver` raises is raised here, and ends the thread as well.

    Args:
        work: returns the generator of an argument.
        arguments: one for each generator.
        at_once: how many run at the same time.
        deliver: takes an argument and what its generator returned.
    """
    waiting = deque(arguments)
    if not waiting:
        return
    loop, ended, raised = _Loop(work, waiting, at_once), Event(), list[BaseException]()
    thread = Thread(target=_deliver_each, args=(loop, deliver, ended, raised), name="connform-steps", daemon=True)
    try:
        thread.start()
        while not ended.wait(_LOOK_S):  # a signal that comes just before a wait doesn't end it
            pass
    finally:
        loop.stop()
        if thread.ident:
            ended.wait(_END_S)  # a thread that still uses OpenSSL while the interpreter ends would crash it
    for error in raised:
        raise error


def run_many_here(work: Callable[[A], Steps[T]], arguments: Iterable[A], at_once: int) -> Iterator[list[tuple[A, T]]]:
    """Do the same in the thread of the caller, for a process that no signal interrupts; yield all results that came at one time."""
    with closing(_Loop(work, deque(arguments), at_once).rounds()) as rounds:
        for ended in rounds:
            yield [(one.argument, one.result()) for one in ended]


class _Ended(NamedTuple, Generic[A, T]):
    """A generator that has ended."""

    argument: A
    returned: T
    """What it returned; nothing where it raised."""
    raised: BaseException | None

    def result(self) -> T:
        if self.raised:
            raise self.raised
        return self.returned


def _deliver_each(
    loop: _Loop[A, T], deliver: Callable[[A, T], object], ended: Event, raised: list[BaseException]
) -> None:
    """Run a loop; note what was raised, and then that it has ended."""
    try:
        with closing(loop.rounds()) as rounds:
            for results in rounds:
                for one in results:
                    deliver(one.argument, one.result())
    except BaseException as error:  # noqa: BLE001  (the caller of `run_many` gets it, and would wait for ever without)
        raised.append(error)
    finally:
        ended.set()


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
        self._work, self._waiting, self._at_once = work, waiting, max(at_once, 1)
        self._selector = selectors.DefaultSelector()
        self._running: set[_Task[A, T]] = set()
        self._ended: list[_Ended[A, T]] = []
        self._look_at = inf
        """No time-out ends before."""
        self._blocked: SimpleQueue[tuple[_Task[A, T], Any, BaseException | None]] = SimpleQueue()
        """The outcomes of steps that blocked a thread of their own: what was returned, or raised."""
        self._wakes, self._waker = socket.socketpair()
        self._is_stopped = False
        self._context = copy_context()  # of the caller

    def rounds(self) -> Generator[list[_Ended[A, T]], None, None]:
        """Run the generators; yield those that have ended, after each wait."""
        with self._selector, closing(self._wakes), closing(self._waker):
            self._wakes.settimeout(0)
            self._selector.register(self._wakes, selectors.EVENT_READ)
            try:
                self._begin_more()
                while self._ended or (self._running and not self._is_stopped):
                    if self._ended:
                        ended, self._ended = self._ended, []
                        yield ended
                    else:
                        self._wait()
                        self._begin_more()
            finally:
                for task in self._running:
                    task.context.run(task.steps.close)

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
            self._resume(*self._blocked.get())
        for task, sockets in ready.items():
            self._resume(task, sockets)
        if (now := monotonic()) >= self._look_at:
            for task in [one for one in self._running if one.ends_at <= now]:
                self._resume(task, [])
            self._look_at = min((task.ends_at for task in self._running), default=inf)

    def _resume(self, task: _Task[A, T], returned: Any, raised: BaseException | None = None) -> None:
        """Continue a generator with what its step returned or raised."""
        for sock in task.sockets:
            self._selector.unregister(sock)
        task.sockets, task.ends_at = (), inf
        try:
            run, steps = task.context.run, task.steps
            step = run(steps.throw, raised) if raised else run(steps.send, returned)
        except StopIteration as stop:
            self._end(task, stop.value, None)
        except BaseException as error:  # noqa: BLE001  (the caller gets it)
            self._end(task, None, error)
        else:
            self._begin(task, step)

    def _begin(self, task: _Task[A, T], step: Step) -> None:
        """Begin to wait for a step."""
        if not isinstance(step, Ready):
            in_thread(self._block, task, step)
            return
        event = selectors.EVENT_WRITE if step.for_writing else selectors.EVENT_READ
        for sock in step.sockets:
            self._selector.register(sock, event, task)
        task.sockets, task.ends_at = step.sockets, step.ends_at
        self._look_at = min(self._look_at, step.ends_at)

    def _block(self, task: _Task[A, T], step: Step) -> None:
        returned, raised = None, None
        try:
            returned = task.context.copy().run(step.block)
        except BaseException as error:  # noqa: BLE001  (the generator raises it)
            raised = error
        self._blocked.put((task, returned, raised))
        self._wake()

    def _end(self, task: _Task[A, T], returned: Any, raised: BaseException | None) -> None:
        self._running.discard(task)
        self._ended.append(_Ended(task.argument, returned, raised))
