"""The network backends of httpcore's pools, blocking and for event loops: both carry out the same steps.

Layer 1, uses the network.
"""

from __future__ import annotations

import ssl
from typing import Any

import anyio
import httpcore

from connform.http.net.dial import dial
from connform.http.net.dial_context import DialContext
from connform.http.net.steps import BLOCK, WAIT, run, run_async
from connform.http.net.stream import TCPStream
from connform.http.net.tunnel import Tunnel


class SyncDialer(httpcore.NetworkBackend):
    """The network backend of httpcore's connection pools."""

    def __init__(self, dial_context: DialContext) -> None:
        self._dial_context = dial_context

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> _SyncStream:
        return _SyncStream(run(dial(self._dial_context, host, port, timeout), BLOCK))


class AsyncDialer(httpcore.AsyncNetworkBackend):
    """The network backend of httpcore's asynchronous connection pools."""

    def __init__(self, dial_context: DialContext) -> None:
        self._dial_context = dial_context

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> _AsyncStream:
        return _AsyncStream(await run_async(dial(self._dial_context, host, port, timeout), WAIT))


class _SyncStream(httpcore.NetworkStream):
    def __init__(self, stream: TCPStream | Tunnel) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return run(self._stream.read(max_bytes, timeout), BLOCK)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:  # httpcore also writes the end of a request, which is empty
            run(self._stream.write(buffer, timeout), BLOCK)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _SyncStream:
        steps = self._stream.start_tls(ssl_context, server_hostname, timeout)  # type: ignore[union-attr]  # httpcore does it once
        return _SyncStream(run(steps, BLOCK))


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: TCPStream | Tunnel) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # a task that never waits must let other tasks run, and be cancellable
        return await run_async(self._stream.read(max_bytes, timeout), WAIT, must_yield=True)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:  # as above
            await run_async(self._stream.write(buffer, timeout), WAIT)

    async def aclose(self) -> None:
        number = self._stream.get_extra_info("socket").fileno()
        if number >= 0:  # tasks that wait for this descriptor would otherwise wait for the next socket with its number
            anyio.notify_closing(number)
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _AsyncStream:
        steps = self._stream.start_tls(ssl_context, server_hostname, timeout)  # type: ignore[union-attr]  # as above
        return _AsyncStream(await run_async(steps, WAIT))
