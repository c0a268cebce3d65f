"""Turns a host and port into a connection, for asyncio and trio: look-up, TCP, TLS, each with its own fault.

Layer 1, uses the network. Sockets don't block, and TLS runs on them directly: errors reach us as the `ssl` module raises them, as in `dial`.
"""

from __future__ import annotations

import os
import socket
import ssl
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import anyio
import anyio.lowlevel
import httpcore

from connform.faults import Stage
from connform.http import deadline, handshake, tls
from connform.http.line import Attempts, Line, Peer, connection_info
from connform.http.resolver import Endpoint, look_up_async
from connform.http.tunnel import AsyncTunnel, Records

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

T = TypeVar("T")
_Wait: TypeAlias = "Callable[[socket.socket], Awaitable[None]]"
_NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class AsyncDialer(httpcore.AsyncNetworkBackend):
    """httpcore's way to the network."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (never set here)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        started_at = monotonic()
        endpoints = self._line.known_endpoints(host, port) or await look_up_async(host, port, timeout)
        self._line.report_lookup(started_at, endpoints)
        started_at = monotonic()
        attempts = Attempts(host, endpoints, timeout)
        for endpoint, allowed_s in attempts:
            try:
                sock = await _connect(endpoint, allowed_s)
            except OSError as error:
                attempts.failed(endpoint, error)
            else:
                self._line.report(Stage.TCP, started_at, {"address": str(endpoint)})
                return AsyncStream(sock, self._line, Peer(host, endpoint, self._line.proxied))
        raise attempts.failure()


class AsyncStream(httpcore.AsyncNetworkStream):
    """One connection, before and after its TLS handshake."""

    def __init__(self, sock: socket.socket, line: Line, peer: Peer) -> None:
        self._sock = sock
        self._line = line
        self._peer = peer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            received = await self._when_ready(lambda: self._sock.recv(max_bytes), timeout, anyio.wait_readable)
        except OSError as error:
            raise self._peer.failure(error) from None
        if not received and self._peer.is_proxy:
            raise self._peer.failure(ConnectionResetError())
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                part = rest
                sent = await self._when_ready(lambda: self._sock.send(part), timeout, anyio.wait_writable)  # noqa: B023
                rest = rest[sent:]
        except TimeoutError as error:
            raise self._peer.failure(error) from None
        except OSError:  # httpcore goes on to read: the server may have said why before it cut the connection
            raise httpcore.WriteError from None

    async def aclose(self) -> None:
        if self._sock.fileno() >= 0:
            anyio.notify_closing(
                self._sock
            )  # whoever still waits for it must not wait for the next owner of its number
        self._sock.close()

    def get_extra_info(self, info: str) -> object:
        return connection_info(self._sock, info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        started_at = monotonic()
        host = server_hostname or self._peer.host
        to_proxy = self._peer.is_proxy and self._line.proxy_speaks_tls and not isinstance(self._sock, ssl.SSLSocket)
        tunnelled = self._peer.is_proxy and not to_proxy
        self._peer = Peer(host, self._peer.endpoint, to_proxy)
        if isinstance(self._sock, ssl.SSLSocket):
            tunnel = AsyncTunnel(self, Records(ssl_context, host))
            await tunnel.handshake(timeout)
            self._line.report_tls(started_at, tunnel.records.object)
            return tunnel
        try:
            self._sock = await _secure(self._sock, ssl_context, host, timeout)
        except (OSError, ValueError) as error:
            seen = handshake.doubts_certificate(error) and not tunnelled
            certificate = await self._refused_certificate(timeout) if seen else None
            raise handshake.failure(error, host, certificate) from None
        if not to_proxy:
            self._line.report_tls(started_at, self._sock)
        return self

    async def _refused_certificate(self, timeout: float | None) -> bytes | None:
        """Return the certificate in question, from one more handshake after which nothing is said."""
        try:
            sock = await _connect(self._peer.endpoint, deadline.allow(timeout))
            with await _secure(sock, tls.unverified(), self._peer.host, timeout) as secured:
                return secured.getpeercert(binary_form=True)
        except (OSError, ValueError):
            return None

    async def _when_ready(self, operation: Callable[[], T], timeout_s: float | None, blocked: _Wait) -> T:
        """Try at once, because TLS may hold bytes that the socket no longer has, then whenever the socket is ready."""
        allowed_s = deadline.allow(timeout_s)
        try:
            result = operation()
        except _NOT_YET as error:
            with anyio.fail_after(allowed_s):
                return await _retry(operation, self._sock, error, blocked)
        if blocked is anyio.wait_readable:  # who never waits must let others run, and be cancelled
            await anyio.lowlevel.checkpoint()
        return result


async def _connect(endpoint: Endpoint, timeout_s: float | None) -> socket.socket:
    sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        with anyio.fail_after(timeout_s):
            try:
                sock.connect(endpoint.address)
            except BlockingIOError:
                await anyio.wait_writable(sock)
                if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(code, os.strerror(code)) from None  # Python makes it a ConnectionRefusedError, …
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


async def _secure(sock: socket.socket, context: ssl.SSLContext, host: str, timeout_s: float | None) -> ssl.SSLSocket:
    """Return `sock` with TLS over it; it is closed where that fails."""
    with sock:  # once wrapped, it is an empty shell
        allowed_s = deadline.allow(timeout_s)
        secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        with anyio.fail_after(allowed_s):
            await _retry(secured.do_handshake, secured)
    except BaseException:
        secured.close()
        raise
    return secured


async def _retry(
    operation: Callable[[], T], sock: socket.socket, error: OSError | None = None, blocked: _Wait = anyio.wait_readable
) -> T:
    """Return the result of `operation`, waiting for the socket as often as it asks for it."""
    while True:
        try:
            match error:
                case ssl.SSLWantReadError():
                    await anyio.wait_readable(sock)
                case ssl.SSLWantWriteError():
                    await anyio.wait_writable(sock)
                case BlockingIOError():
                    await blocked(sock)
        except anyio.ClosedResourceError:  # another task closed the client
            raise ConnectionAbortedError from None
        try:
            return operation()
        except _NOT_YET as not_yet:
            error = not_yet
