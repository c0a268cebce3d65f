"""Helpers of asyncio: run a coroutine from synchronous code; process many items at once. Layer 3, no IO of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_coroutine(coroutine: Any) -> Any:
    """Run a coroutine; in a new thread if this thread already runs an event loop, as in a notebook."""
    if not _runs_a_loop():
        return asyncio.run(coroutine)  # outside of an except block: an exception in the coroutine has no context
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def _runs_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def map_concurrently(
    items: Sequence[Item],
    work: Callable[[Item], Awaitable[Result]],
    parallelism: int,
    progress: Callable[[int, int], None] | None,
) -> list[Result]:
    """Return the result of `work` for each item, in the order of the items.

    Args:
        items: the items.
        work: the coroutine function to call with each.
        parallelism: how many at once.
        progress: is called after each item with how many are done, and how many there are.
    """
    results: dict[int, Result] = {}
    remaining = iter(enumerate(items))

    async def worker() -> None:
        for index, item in remaining:
            results[index] = await work(item)
            if progress:
                progress(len(results), len(items))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(max(parallelism, 1), len(items))):
            group.create_task(worker())
    return [results[index] for index in range(len(items))]
