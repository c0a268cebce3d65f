"""Generators of steps, written once for sync and async: the step that waits for sockets, and the two drivers.

Layer 1, waits for sockets. A generator yields what must be waited for; one driver blocks its thread, the other one awaits.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from math import inf
from operator import methodcaller
from time import monotonic
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class Step(Protocol):
    """What is waited for."""

    def block(self) -> Any:
        """Wait, and return the result; blocks the thread."""

    async def wait(self) -> Any:
        """Do the same on an event loop."""


Steps: TypeAlias = Generator[Step, Any, T]


class Ready(NamedTuple):
    """Step: wait until one of several sockets is ready. The result is the ready ones; empty where the time has passed."""

    sockets: Sequence[socket.socket]
    """The sockets."""
    ends_at: float
    """How long, on the monotonic clock."""
    for_writing: bool
    """Ready for what: writing, else reading."""

    def block(self) -> list[socket.socket]:
        try:
            return ready_now(self.sockets, for_writing=self.for_writing, seconds=max(self.ends_at - monotonic(), 0.0))
        except ValueError:  # another thread closed the client
            raise ConnectionAbortedError from None

    async def wait(self) -> list[socket.socket]:
        import anyio  # a check needs it not: it takes 10 ms

        # of the descriptor: given a socket, asyncio would format its `repr` each time, which takes two system calls
        wait_for = anyio.wait_writable if self.for_writing else anyio.wait_readable
        ready: list[socket.socket] = []

        async def add(sock: socket.socket) -> None:
            await wait_for(sock.fileno())
            ready.append(sock)
            scope.cancel()

        with anyio.move_on_after(max(self.ends_at - monotonic(), 0.0)) as scope:
            if len(self.sockets) == 1:
                try:
                    await wait_for(self.sockets[0].fileno())
                except anyio.ClosedResourceError:  # another task closed the client
                    raise ConnectionAbortedError from None
                return [*self.sockets]
            async with anyio.create_task_group() as tasks:
                for sock in self.sockets:
                    tasks.start_soon(add, sock)
        return ready


PASS = Ready((), 0.0, for_writing=False)
"""Step: others go on first; for steps that may find what they wait for there already, again and again."""
BLOCK = methodcaller("block")
WAIT = methodcaller("wait")


def ready_now(sockets: Sequence[socket.socket], *, for_writing: bool, seconds: float = 0.0) -> list[socket.socket]:
    """Return the sockets that are ready, at once or within some seconds."""
    if not hasattr(select, "poll"):  # Windows, where a connection that failed is an exceptional condition
        reading, writing = ([], sockets) if for_writing else (sockets, [])
        found = select.select(reading, writing, writing, None if seconds == inf else seconds)
        return [*{sock for ready in found for sock in ready}]
    poll = select.poll()
    for sock in sockets:
        poll.register(sock.fileno(), select.POLLOUT if for_writing else select.POLLIN)
    ready = poll.poll(seconds and (None if seconds == inf else seconds * 1000))
    if not ready:  # the usual case of an idle connection
        return []
    numbers = dict(ready)
    return [sock for sock in sockets if sock.fileno() in numbers]


def run(steps: Generator[S, Any, T], perform: Callable[[S], Any]) -> T:
    """Perform the steps of a generator, and return its result; what `perform` raises is raised inside of the generator."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = perform(step)
            except BaseException as error:  # noqa: BLE001  (the generator raises it again)
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result


def relay(steps: Generator[S, Any, T], perform: Callable[[S], Steps[Any]]) -> Steps[T]:
    """Do the same as `run`, where performing a step takes steps itself: these are yielded."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = yield from perform(step)
            except BaseException as error:  # noqa: BLE001  (the generator raises it again)
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def run_async(
    steps: Generator[S, Any, T], perform: Callable[[S], Awaitable[Any]], *, must_yield: bool = False
) -> T:
    """Do the same as `run`, for steps that are awaited; `must_yield` lets other tasks run even if there is no step."""
    try:
        step = next(steps)
        must_yield = False
        while True:
            try:
                outcome = await perform(step)
            except BaseException as error:  # noqa: BLE001  (the generator raises it again)
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as stop:
        if must_yield:
            import anyio.lowlevel

            await anyio.lowlevel.checkpoint()
        result: T = stop.value
        return result
