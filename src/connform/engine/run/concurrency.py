"""Helpers of asyncio: run a coroutine from synchronous code; process many items at once. Layer 3, no IO of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from connform.engine.run.open_files import at_once
from connform.engine.run.progress import Progress, waiting_for

Result = TypeVar("Result")


class Named(Protocol):
    """An item with a name of its own."""

    @property
    def name(self) -> str:
        """The name."""


Item = TypeVar("Item", bound=Named)
_CANCELLERS: list[Callable[[], object]] = []
"""One for each coroutine that `run_coroutine` runs."""


def run_coroutine(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine; in a new thread if this thread already runs an event loop, as in a notebook.

    Raises:
        KeyboardInterrupt: an interruption cancelled it.
    """
    cancellable = _cancellable(coroutine)
    runs_a_loop = _runs_a_loop()
    try:
        if not runs_a_loop:
            asyncio.run(cancellable)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, cancellable).result()
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def cancel_running() -> bool:
    """Cancel what `run_coroutine` runs, and return whether there is anything; for the handler of a signal."""
    for cancel in _CANCELLERS:
        cancel()
    return bool(_CANCELLERS)


async def _cancellable(coroutine: Coroutine[Any, Any, None]) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (a coroutine runs in a task)
    cancel = partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel)
    _CANCELLERS.append(cancel)
    try:
        await coroutine
    finally:
        _CANCELLERS.remove(cancel)


def _runs_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def for_each(
    items: Sequence[Item],
    work: Callable[[Item], Awaitable[Result]],
    parallelism: int,
    progress: Progress,
    done: dict[str, Result],
) -> None:
    """Do `work` with each item, several at once.

    Args:
        items: the items.
        work: the coroutine function to call with each.
        parallelism: how many at once.
        progress: is told which items are worked on.
        done: gets the result of each item by its name, as soon as there is one; so an interruption loses none.
    """
    remaining = iter(items)

    async def worker() -> None:
        for item in remaining:
            with waiting_for(item.name, progress):
                done[item.name] = await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once(parallelism), len(items))):
            group.create_task(worker())


async def wait_at_most(event: asyncio.Event, limit_s: float) -> None:
    """Wait for an event, or until a time is over. `asyncio.wait_for` may lose a cancellation at the same time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()


async def to_its_end(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine that must not be cut off: a cancellation takes effect at the next `await` of the caller."""
    task, is_cancelled = asyncio.create_task(coroutine), False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            is_cancelled = True
    caller = asyncio.current_task()
    if is_cancelled and caller is not None:
        caller.cancel()
    return task.result()
