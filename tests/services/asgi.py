"""An ASGI application whose asynchronous clients were made when it was imported. Asked for `/NAME` or `/NAME/short`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import connform
from tests.services.asking import outcome

connections = connform.load("connections.yaml")
clients = {name: connection.async_client() for name, connection in connections.items()}


async def application(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    name, _, way = scope["path"].strip("/").partition("/")
    content = (await _ask(name, is_short=bool(way))).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _live(receive: Callable[[], Awaitable[Any]], send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for client in clients.values():
        await client.aclose()
    await asyncio.to_thread(connections.close)
    await send({"type": "lifespan.shutdown.complete"})


async def _ask(name: str, *, is_short: bool) -> str:
    try:
        if not is_short:
            return outcome(await clients[name].get("/x"))
        async with await connections[name].build_async_client() as short:
            return outcome(await short.get("/x"))
    except Exception as error:  # noqa: BLE001  (whatever comes is noted)
        return outcome(error)
