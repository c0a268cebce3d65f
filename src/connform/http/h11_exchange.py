"""What h11 does for one exchange: it writes the request, and parses its answer (RFC 9112). Layer 1, no IO.

It is imported for the exchanges that need it: h11 takes 8 ms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import h11

from connform.http import failures
from connform.http.wire import WireRequest

_MAX_HEAD_BYTES = 100 * 1024
"""As in httpcore."""


class AnswerHead(NamedTuple):
    """Status and headers of an answer."""

    status: int
    """HTTP status."""
    headers: list[tuple[bytes, bytes]]
    """Header lines, names as they were sent."""
    version: bytes
    """`1.1`."""


class H11Exchange:
    """One request and its answer."""

    def __init__(self, request: WireRequest, host: str) -> None:
        """Write the request.

        Args:
            request: the request.
            host: for messages.

        Raises:
            httpx.LocalProtocolError: the request is not HTTP.
        """
        self._host = host
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        try:
            events: list[Any] = [h11.Request(method=request.method, target=request.target, headers=request.headers)]
            if request.content:
                events.append(h11.Data(data=request.content))
            events.append(h11.EndOfMessage())
            self.request_bytes = b"".join([self._connection.send(event) or b"" for event in events])
            """The request as it is sent."""
        except h11.LocalProtocolError:
            raise failures.illegal_request() from None

    def receive(self, data: bytes) -> None:
        """Take bytes of the answer; empty for the end of the connection.

        Raises:
            RequestFailed: `http_bad_reply`, it ended before the answer began.
        """
        if not data and self._connection.their_state is h11.SEND_RESPONSE:
            raise failures.bad_reply("disconnected without sending a response", self._host)
        self._connection.receive_data(data)

    def next_part(self) -> AnswerHead | bytes | None:
        """Return the next part of the answer: heads, of which those before the last are interim, then bytes of its body, empty at its end.

        It is `None` before more is received.

        Raises:
            RequestFailed: `http_bad_reply`.
        """
        try:
            event = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            raise failures.bad_reply(error, self._host) from None
        if event is h11.NEED_DATA:
            return None
        if isinstance(event, h11.Response | h11.InformationalResponse):
            return AnswerHead(event.status_code, event.headers.raw_items(), event.http_version)
        return bytes(event.data) if isinstance(event, h11.Data) else b""
