"""Runs the proxy in a thread of its own, until the block ends. Layer 4; IO: sockets."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from connform.errors import ConnectionFailed
from connform.servers.proxy.access_log import AccessLog
from connform.servers.proxy.listener import Listener
from connform.servers.proxy.route import Route

if TYPE_CHECKING:
    import uvicorn

_SECRET_PATH_BYTES = 24
"""192 bits."""
_KEEP_ALIVE_S = 75
"""How long an idle connection of a client stays open; as in nginx."""


@contextmanager
def serving(
    listener: Listener, routes: Mapping[str, Route], log: AccessLog | None, *, grace_s: int
) -> Iterator[dict[str, str]]:
    """Serve connections, and yield the base URL of each by its name.

    Args:
        listener: the socket that listens; it is closed at the end.
        routes: the connections by name.
        log: the access log.
        grace_s: how long requests under way may take when the block ends.

    Raises:
        ConnectionFailed: `config_invalid`, uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError:
        listener.close()
        message = "the proxy needs the library uvicorn of the extra `connform[proxy]`, which is not installed"
        raise ConnectionFailed("config_invalid", message, "pip install uvicorn") from None
    from connform.servers.proxy.app import ProxyApp
    from connform.servers.proxy.framing import ClientConnection

    logger = logging.getLogger("uvicorn")
    logger.addHandler(logging.NullHandler())  # what it says stands in our own log, or in the answer
    logger.propagate = False
    secret_path = secrets.token_urlsafe(_SECRET_PATH_BYTES)
    config = uvicorn.Config(
        ProxyApp(routes, secret_path, listener.hosts, log),
        http=ClientConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=grace_s,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=lambda: asyncio.run(_serve(server, listener, routes)), name="connform proxy", daemon=True)
    thread.start()
    try:
        yield {name: f"http://{listener.authority}/{secret_path}/{name}" for name in routes}
    finally:
        listener.remove_file()
        server.should_exit = True
        thread.join()
        listener.sock.close()


async def _serve(server: uvicorn.Server, listener: Listener, routes: Mapping[str, Route]) -> None:
    await server.serve(sockets=[listener.sock])
    for route in routes.values():
        await route.forwarder.aclose()
