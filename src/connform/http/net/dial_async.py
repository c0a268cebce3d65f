"""Network backend for httpcore on asyncio and trio: DNS look-up, TCP, proxy tunnel, TLS.

Layer 1, uses the network. The `ssl` module runs on non-blocking sockets directly, so that errors are those of `dial`.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any

import anyio
import httpcore

from connform.faults import Stage
from connform.http.failures import RequestFailed
from connform.http.net import deadline, handshake, tls
from connform.http.net.dialing import (
    RECORD_BYTES,
    Attempts,
    DialContext,
    connection_info,
    exchange_failure,
    require_own_process,
)
from connform.http.net.resolver import Endpoint, look_up_async
from connform.http.net.sockets_async import connect, secure, when_ready
from connform.http.net.tunnel import AsyncTunnel, TLSRecords


class AsyncDialer(httpcore.AsyncNetworkBackend):
    """The network backend of httpcore's asynchronous connection pools."""

    def __init__(self, dial_context: DialContext) -> None:
        self._dial_context = dial_context

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (never set here)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        proxy = self._dial_context.proxy
        if proxy is None:
            return await self._dial(host, port, timeout)
        stream = await self._dial(proxy.host, proxy.port, timeout)
        try:
            if proxy.context is not None:
                await stream.secure(proxy.context.current, proxy.host, timeout)
            with proxy.opening_tunnel(host) as answer:
                await stream.write(proxy.request(host, port), timeout)
                while not answer.feed(await stream.read(RECORD_BYTES, timeout)):
                    pass
        except BaseException:
            await stream.aclose()
            raise
        stream.redial = partial(AsyncDialer(self._dial_context.unobserved()).connect_tcp, host, port, timeout)
        return stream

    async def _dial(self, host: str, port: int, timeout: float | None) -> AsyncStream:
        started_at = monotonic()
        endpoints = self._dial_context.known_endpoints(host, port)
        if not endpoints:
            endpoints = await look_up_async(host, port, timeout)
            self._dial_context.report_lookup(started_at, endpoints)
        started_at = monotonic()
        attempts = Attempts(host, endpoints, timeout)
        for endpoint, allowed_s in attempts:
            try:
                sock = await connect(endpoint, allowed_s)
            except OSError as error:
                attempts.add_failure(endpoint, error)
            else:
                self._dial_context.report(Stage.TCP, started_at, {"address": str(endpoint)})
                stream = AsyncStream(sock, self._dial_context, host)
                stream.redial = partial(self._dial_again, host, endpoint, timeout)
                return stream
        raise attempts.failure()

    async def _dial_again(self, host: str, endpoint: Endpoint, timeout: float | None) -> AsyncStream:
        return AsyncStream(await connect(endpoint, deadline.allow(timeout)), self._dial_context.unobserved(), host)


class AsyncStream(httpcore.AsyncNetworkStream):
    """A TCP connection; with TLS after `start_tls` or `secure`."""

    def __init__(self, sock: socket.socket, dial_context: DialContext, host: str) -> None:
        self._sock = sock
        self._dial_context = dial_context
        self._host = host
        self._opened_by = os.getpid()
        self.redial: Callable[[], Awaitable[httpcore.AsyncNetworkStream]] | None = None
        """Opens another connection to the same server, which no observer sees."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        require_own_process(self._opened_by, self._host)
        try:
            return await when_ready(lambda: self._sock.recv(max_bytes), self._sock, timeout, anyio.wait_readable)
        except OSError as error:
            raise exchange_failure(error, self._host) from None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        require_own_process(self._opened_by, self._host)
        rest = memoryview(buffer)
        try:
            while rest:
                part = rest
                sent = await when_ready(lambda: self._sock.send(part), self._sock, timeout, anyio.wait_writable)  # noqa: B023  (called before the next part)
                rest = rest[sent:]
        except TimeoutError as error:
            raise exchange_failure(error, self._host) from None
        except OSError:  # httpcore then reads: the server may have answered before it cut the connection
            raise httpcore.WriteError from None

    async def aclose(self) -> None:
        if self._sock.fileno() >= 0:
            # Tasks that wait for this descriptor would otherwise wait for the next socket with the same number.
            anyio.notify_closing(self._sock.fileno())
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        return connection_info(self._sock, info)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        started_at = monotonic()
        stream = await self.secure(ssl_context, server_hostname or self._host, timeout)
        self._dial_context.report_tls(started_at, stream.get_extra_info("ssl_object"))
        return stream

    async def secure(self, context: ssl.SSLContext, host: str, timeout: float | None) -> httpcore.AsyncNetworkStream:
        """Return a stream with TLS over this one."""
        self._host = host
        try:
            if isinstance(self._sock, ssl.SSLSocket):
                tunnel = AsyncTunnel(self, TLSRecords(context, host))
                await tunnel.handshake(timeout)
                return tunnel
            self._sock = await secure(self._sock, context, host, timeout)
        except (OSError, ValueError) as error:
            await self.aclose()
            needs_certificate = handshake.needs_certificate(error)
            certificate = await self._refused_certificate(host, timeout) if needs_certificate else None
            raise handshake.failure(error, host, certificate) from None
        except BaseException:
            await self.aclose()
            raise
        return self

    async def _refused_certificate(self, host: str, timeout: float | None) -> bytes | None:
        """Return the refused certificate (DER), from a second handshake without verification and without a request."""
        if self.redial is None:
            return None
        try:
            stream = await self.redial()
            try:
                secured = await stream.start_tls(tls.unverified_context(), host, timeout)
                der: bytes | None = secured.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return der
            finally:
                await stream.aclose()
        except (OSError, RequestFailed):
            return None
