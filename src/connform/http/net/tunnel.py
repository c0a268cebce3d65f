"""TLS inside a TLS stream, for connections through an `https://` proxy.

Layer 1. Python can't wrap an `SSLSocket` in TLS again, so the inner TLS records pass through memory buffers.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpcore

from connform.http.failures import RequestFailed, RequestTimedOut
from connform.http.net.dialing import RECORD_BYTES

T = TypeVar("T")


class TLSRecords:
    """The TLS protocol of one connection, without IO."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def steps(self, operation: Callable[[], T]) -> Generator[tuple[bytes, bool], bytes, T]:
        """Yield the bytes to send and whether to receive; take the bytes received; return the operation's result."""
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                received = yield self._outgoing.read(), True
                if received:
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                if self._outgoing.pending:
                    yield self._outgoing.read(), False
                return result

    def receive(self, max_bytes: int) -> bytes:
        """Return decrypted bytes; empty at the end."""
        try:
            return self.ssl_object.read(max_bytes)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise the OSError that a socket would raise, so that failures of both kinds of handshake get the same faults."""
    try:
        yield
    except RequestTimedOut:
        raise TimeoutError from None
    except (RequestFailed, httpcore.WriteError):
        raise ConnectionResetError from None


class SyncTunnel(httpcore.NetworkStream):
    """A stream with TLS over a stream that has TLS already."""

    def __init__(self, outer: httpcore.NetworkStream, tls_records: TLSRecords) -> None:
        self._outer = outer
        self._tls_records = tls_records

    def handshake(self, timeout: float | None) -> None:
        with _as_os_errors():
            self._drive(self._tls_records.ssl_object.do_handshake, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._drive(lambda: self._tls_records.receive(max_bytes), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:
            self._drive(lambda: self._tls_records.ssl_object.write(buffer), timeout)

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:
        return self._tls_records.ssl_object if info == "ssl_object" else self._outer.get_extra_info(info)

    def _drive(self, operation: Callable[[], T], timeout: float | None) -> T:
        steps = self._tls_records.steps(operation)
        try:
            out, receives = next(steps)
            while True:
                self._outer.write(out, timeout)
                out, receives = steps.send(self._outer.read(RECORD_BYTES, timeout) if receives else b"")
        except StopIteration as stop:
            result: T = stop.value
            return result


class AsyncTunnel(httpcore.AsyncNetworkStream):
    """A stream with TLS over a stream that has TLS already."""

    def __init__(self, outer: httpcore.AsyncNetworkStream, tls_records: TLSRecords) -> None:
        self._outer = outer
        self._tls_records = tls_records

    async def handshake(self, timeout: float | None) -> None:
        with _as_os_errors():
            await self._drive(self._tls_records.ssl_object.do_handshake, timeout)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._drive(lambda: self._tls_records.receive(max_bytes), timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:
            await self._drive(lambda: self._tls_records.ssl_object.write(buffer), timeout)

    async def aclose(self) -> None:
        await self._outer.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._tls_records.ssl_object if info == "ssl_object" else self._outer.get_extra_info(info)

    async def _drive(self, operation: Callable[[], T], timeout: float | None) -> T:
        steps = self._tls_records.steps(operation)
        try:
            out, receives = next(steps)
            while True:
                await self._outer.write(out, timeout)
                out, receives = steps.send(await self._outer.read(RECORD_BYTES, timeout) if receives else b"")
        except StopIteration as stop:
            result: T = stop.value
            return result
