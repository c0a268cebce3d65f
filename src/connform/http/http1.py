"""One HTTP/1.1 exchange over a connection of its own: request, status line and headers, body, as steps.

Layer 1, no IO of its own. A request and an answer of the plainest form are written and parsed by `plain_http1.py`, all others by h11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connform.http import failures
from connform.http.net.steps import PASS, Steps
from connform.http.net.stream import TCPStream
from connform.http.net.tunnel import Tunnel
from connform.http.plain_http1 import plain_answer, plain_bytes
from connform.http.wire import WireRequest

if TYPE_CHECKING:
    from connform.http.h11_exchange import H11Exchange

_READ_BYTES = 64 * 1024
"""As in httpcore."""
_PARTS_AT_ONCE = 32
"""Some 2 ms."""
_FINAL = 200
_SWITCHING_PROTOCOLS = 101


class HTTP1Exchange:
    """Sends one request, and reads its answer. The caller closes the connection."""

    def __init__(self, stream: TCPStream | Tunnel, host: str, read_s: float, write_s: float) -> None:
        """Set the connection, the host for messages, and the time-outs in seconds."""
        self.stream = stream
        self._host = host
        self._read_s, self._write_s = read_s, write_s
        self._h11: H11Exchange | None = None
        """Writes and parses what is not of the plainest form."""
        self._parts = 0
        self._body = b""
        """What is left of the body of a plain answer."""
        self.status = 0
        """HTTP status of the answer; 0 before there is one."""
        self.headers: list[tuple[bytes, bytes]] = []
        """Header lines of the answer, with names as they were sent."""
        self.extensions: dict[str, Any] = {"network_stream": stream}
        """As those of `httpcore.Response`: the connection, and the `http_version` of the answer."""

    def send(self, request: WireRequest) -> Steps[None]:
        """Send the request, and read status and headers of the answer.

        Raises:
            RequestFailed: `http_bad_reply`, `http_timeout`, `http_deadline`, or a refused client certificate.
            httpx.LocalProtocolError: the request is not HTTP.
        """
        data = plain_bytes(request)
        if data is None:
            self._h11 = self._by_h11(request)
            data = self._h11.request_bytes
        try:  # noqa: SIM105  (`suppress` needs the class, which imports httpx, before anything has failed)
            yield from self.stream.write(data, self._write_s)
        except failures.WriteError:
            pass  # the server may have answered before it cut the connection
        received = yield from self.stream.read(_READ_BYTES, self._read_s)
        if plain := plain_answer(request.method, received):
            self.status, self.headers, self._body = plain
            self.extensions["http_version"] = b"HTTP/1.1"
            self._h11 = None
            return
        self._h11 = self._h11 or self._by_h11(request)  # it parses the answer to what it has written
        self._h11.receive(received)
        version = b""
        while self.status < _FINAL and self.status != _SWITCHING_PROTOCOLS:
            self.status, self.headers, version = yield from self._next_part(self._h11)
        self.extensions["http_version"] = b"HTTP/" + version

    def next_piece(self) -> Steps[bytes]:
        """Return the next bytes of the body; empty at its end. Errors as for `send`."""
        piece: bytes
        if self._h11 is None:
            piece, self._body = self._body, b""
        else:
            piece = yield from self._next_part(self._h11)
        return piece

    def _by_h11(self, request: WireRequest) -> H11Exchange:
        from connform.http.h11_exchange import H11Exchange

        return H11Exchange(request, self._host)

    def _next_part(self, parser: H11Exchange) -> Steps[Any]:
        while (part := parser.next_part()) is None:
            yield PASS  # a server that sends without end holds up no other check
            parser.receive((yield from self.stream.read(_READ_BYTES, self._read_s)))
        self._parts += 1
        if self._parts % _PARTS_AT_ONCE == 0:
            yield PASS  # nor does one that sends in small chunks, of which thousands are read at once
        return part
