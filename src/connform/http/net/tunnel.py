"""TLS inside of a connection with TLS, for connections through an `https://` proxy.

Layer 1, no IO of its own. Python can't wrap an `SSLSocket` in TLS again, so the inner TLS records pass through memory
buffers.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from connform.http import failures
from connform.http.net.steps import Steps

if TYPE_CHECKING:
    from connform.http.net.stream import TCPStream

RECORD_BYTES = 16 * 1024
"""The largest TLS record, RFC 8446 §5.1."""
T = TypeVar("T")


class Tunnel:
    """A connection with TLS over a connection that has TLS already."""

    def __init__(self, outer: TCPStream, context: ssl.SSLContext, host: str) -> None:
        self._outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def handshake(self, timeout_s: float | None) -> Steps[None]:
        """Do the TLS handshake."""
        with _as_os_errors():
            yield from self._exchange(self._ssl_object.do_handshake, timeout_s)

    def read(self, max_bytes: int, timeout_s: float | None) -> Steps[bytes]:
        """Return the next bytes; empty at the end."""
        try:
            return (yield from self._exchange(lambda: self._ssl_object.read(max_bytes), timeout_s))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def write(self, data: bytes, timeout_s: float | None) -> Steps[None]:
        """Send all of `data`."""
        yield from self._exchange(lambda: self._ssl_object.write(data), timeout_s)

    def close(self) -> None:
        """Close the connection below."""
        self._outer.close()

    def get_extra_info(self, name: str) -> Any:
        """Return a property of the connection, as `get_extra_info` of httpcore's streams."""
        return self._ssl_object if name == "ssl_object" else self._outer.get_extra_info(name)

    def _exchange(self, operation: Callable[[], T], timeout_s: float | None) -> Steps[T]:
        """Return the result of an operation of the inner TLS; its records are sent and received meanwhile."""
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                yield from self._outer.write(self._outgoing.read(), timeout_s)
                if received := (yield from self._outer.read(RECORD_BYTES, timeout_s)):
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                yield from self._outer.write(self._outgoing.read(), timeout_s)
                return result


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise the OSError that a socket would raise, so that failures of both kinds of handshake get the same faults."""
    try:
        yield
    except failures.RequestTimedOut:
        raise TimeoutError from None
    except (failures.RequestFailed, failures.WriteError):
        raise ConnectionResetError from None
