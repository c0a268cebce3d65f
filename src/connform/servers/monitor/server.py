"""Runs the server of a monitor in a thread with an event loop of its own, so that it answers while checks are busy.

Layer 4; IO: sockets. Needs the extra `connform[monitor]`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from connform.engine.run.concurrency import wait_at_most
from connform.errors import ConnformError

if TYPE_CHECKING:
    from connform.servers.monitor.tls import ServerCertificate

_BACKLOG = 128
_HANDSHAKE_S = 10.0
_CERTIFICATE_S = 5.0
"""How often the certificate's files are looked at."""
_END_S = 2.0


class ListenFailed(ConnformError):
    """The address can't be listened on, or a library is missing."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; a name is resolved.

    Raises:
        ListenFailed: that is not possible.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.setblocking(False)  # noqa: FBT003  (its only argument)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        raise ListenFailed(f"can't listen on {host}:{port}: {error.strerror}; --listen names another address") from None
    return bound


class Server:
    """A server in a thread."""

    def __init__(self, app: Callable[[], Any], bound: socket.socket, certificate: ServerCertificate | None) -> None:
        """Take what makes the ASGI application in the server's thread, a bound socket, and a certificate for TLS.

        Raises:
            ListenFailed: a library is missing.
        """
        try:
            import prometheus_client  # noqa: F401  (only whether it is there)
            import uvicorn  # noqa: F401  (the same)
        except ImportError:
            message = "the monitor needs optional libraries: pip install prometheus-client uvicorn"
            raise ListenFailed(message) from None
        self._app = app
        self._socket = bound
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._thread = Thread(target=self._run, name="server", daemon=True)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Listen from now on."""
        self._socket.listen(_BACKLOG)
        self._thread.start()

    def close(self) -> None:
        """Answer what was asked, then end."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._ending.set)
        if self._thread.is_alive():
            self._thread.join(2 * _END_S)
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        from uvicorn import Config
        from uvicorn.server import ServerState

        from connform.servers.monitor.connection import IDLE_S, MAX_HEAD_BYTES, BoundedConnection

        logger = logging.getLogger("uvicorn")  # what it says of requests that aren't HTTP is nobody's business
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
        config = Config(
            self._app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            http="h11",
            ws="none",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=IDLE_S,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )
        config.load()
        state = ServerState()
        tls: dict[str, Any] = {}
        if self._certificate:
            tls = {"ssl": self._certificate.context, "ssl_handshake_timeout": _HANDSHAKE_S}
        listener = await self._loop.create_server(
            lambda: BoundedConnection(config, state, {}, self._loop), sock=self._socket, backlog=_BACKLOG, **tls
        )
        while not self._ending.is_set():
            await wait_at_most(self._ending, _CERTIFICATE_S)
            if self._certificate:
                await asyncio.to_thread(self._certificate.read_anew)
        listener.close()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=_END_S)
        for connection in list(state.connections):
            connection.transport.abort()
