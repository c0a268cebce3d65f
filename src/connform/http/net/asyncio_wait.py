"""The driver of steps that run on asyncio alone: waits for one socket with asyncio's own means.

Layer 1, waits for sockets. `Ready.wait` serves every event loop, and clients that another task closes; that takes three times as long.
"""

from __future__ import annotations

import asyncio
import socket
from math import inf
from typing import Any

from connform.http.net.steps import PASS, Ready, Step


async def wait_on_asyncio(step: Step) -> Any:
    """Wait for a step whose sockets no other task uses or closes, and return its result."""
    if step is PASS:
        return await asyncio.sleep(0, [])
    if not isinstance(step, Ready) or len(step.sockets) != 1:
        return await step.wait()
    loop = asyncio.get_running_loop()
    descriptor, ready = step.sockets[0].fileno(), loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if step.for_writing else (loop.add_reader, loop.remove_reader)
    try:
        add(descriptor, _resolve, ready, [*step.sockets])
    except NotImplementedError:  # the event loop of Windows
        return await step.wait()
    timer = loop.call_at(step.ends_at, _resolve, ready, []) if step.ends_at != inf else None
    try:
        return await ready
    finally:
        remove(descriptor)
        if timer:
            timer.cancel()


def _resolve(ready: asyncio.Future[list[socket.socket]], sockets: list[socket.socket]) -> None:
    if not ready.done():
        ready.set_result(sockets)
