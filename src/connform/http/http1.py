"""One HTTP/1.1 exchange over a connection of its own: request, status line and headers, body, as steps.

Layer 1, no IO of its own. h11 writes and parses (RFC 9112). httpcore does the same for the connections of its pools.
"""

from __future__ import annotations

from typing import Any

import h11

from connform.http import failures
from connform.http.net.steps import PASS, Steps
from connform.http.net.stream import TCPStream
from connform.http.net.tunnel import Tunnel
from connform.http.wire import WireRequest

_READ_BYTES = 64 * 1024
_MAX_HEAD_BYTES = 100 * 1024
"""Both as in httpcore."""
_EVENTS_AT_ONCE = 32
"""Some 2 ms."""
_SWITCHING_PROTOCOLS = 101


class HTTP1Exchange:
    """Sends one request, and reads its answer. The caller closes the connection."""

    def __init__(self, stream: TCPStream | Tunnel, host: str, read_s: float, write_s: float) -> None:
        """Set the connection, the host for messages, and the time-outs in seconds."""
        self.stream = stream
        self._host = host
        self._read_s, self._write_s = read_s, write_s
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._has_read = False
        self._events = 0
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
            h11.LocalProtocolError: the request is not HTTP.
        """
        events: list[Any] = [h11.Request(method=request.method, target=request.target, headers=request.headers)]
        if request.content:
            events.append(h11.Data(data=request.content))
        data = b"".join([self._h11.send(event) or b"" for event in [*events, h11.EndOfMessage()]])
        try:  # noqa: SIM105  (`suppress` needs the class, which imports httpx, before anything has failed)
            yield from self.stream.write(data, self._write_s)
        except failures.WriteError:
            pass  # the server may have answered before it cut the connection
        while True:
            event = yield from self._next_event()
            if isinstance(event, h11.Response) or getattr(event, "status_code", 0) == _SWITCHING_PROTOCOLS:
                break
        self.status, self.headers = event.status_code, event.headers.raw_items()
        self.extensions["http_version"] = b"HTTP/" + event.http_version

    def next_piece(self) -> Steps[bytes]:
        """Return the next bytes of the body; empty at its end. Errors as for `send`."""
        while True:
            event = yield from self._next_event()
            if not isinstance(event, h11.Data):
                return b""
            if event.data:
                return bytes(event.data)

    def _next_event(self) -> Steps[Any]:
        while True:
            if self._has_read:  # before, h11 has nothing
                try:
                    event = self._h11.next_event()
                except h11.RemoteProtocolError as error:
                    raise failures.bad_reply(error, self._host) from None
                self._events += 1
                if event is h11.NEED_DATA or self._events % _EVENTS_AT_ONCE == 0:
                    yield PASS  # a server that sends without end, as in small chunks, holds up no other check
                if event is not h11.NEED_DATA:
                    return event
            data = yield from self.stream.read(_READ_BYTES, self._read_s)
            self._has_read = True
            if not data and self._h11.their_state is h11.SEND_RESPONSE:
                raise failures.bad_reply("disconnected without sending a response", self._host)
            self._h11.receive_data(data)
