"""What a client of the simulator sends: heads and bodies of HTTP/1.1 requests, parsed by h11 (RFC 9112), as steps.

Layer 2; IO: through the function that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import h11

from connform.http.net.steps import Steps

_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES = 16 * 1024 * 1024


class BadRequestError(Exception):
    """The request can't be parsed; `status` is the HTTP status of the reply."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class Head(NamedTuple):
    """Request line and headers."""

    method: str
    """As it was sent."""
    target: str
    """As it was sent."""
    headers: Mapping[str, str]
    """By lower-case name; of lines with one name the last."""
    keeps_alive: bool
    """Whether the client may send another request (RFC 9112 §9.3)."""
    awaits_continue: bool
    """Whether the client waits before it sends its body (RFC 9110 §10.1.1)."""


class Input:
    """The requests of a connection, in the order of their arrival."""

    def __init__(self, receive: Callable[[], Steps[bytes]]) -> None:
        """Take the steps that return the next bytes, and none at the end."""
        self._receive = receive
        self._request = _new_request(b"")

    def head(self) -> Steps[Head | None]:
        """Return the next request's head; `None` if the client has closed the connection.

        Raises:
            BadRequestError: it isn't valid, or larger than 64 KiB.
        """
        # one object of h11 for each request: what is answered is nothing to it
        self._request = _new_request(self._request.trailing_data[0])
        event = yield from self._next_event()
        if not isinstance(event, h11.Request):
            return None
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
        option = headers.get("connection", "").lower()
        is_old = event.http_version == b"1.0"
        return Head(
            event.method.decode("ascii"),
            event.target.decode("latin-1"),
            headers,
            keeps_alive=option == "keep-alive" if is_old else option != "close",
            awaits_continue=self._request.they_are_waiting_for_100_continue,
        )

    def body(self, head: Head) -> Steps[bytes]:
        """Return the body of the request whose head was read before.

        Raises:
            BadRequestError: it isn't valid, ends too early, or is larger than 16 MiB.
        """
        if int(head.headers.get("content-length", "0")) > _MAX_BODY_BYTES:
            raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = bytearray()
        while isinstance(event := (yield from self._next_event()), h11.Data):
            body += event.data
            if len(body) > _MAX_BODY_BYTES:
                raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return bytes(body)

    def _next_event(self) -> Steps[Any]:
        try:
            while (event := self._request.next_event()) is h11.NEED_DATA:
                self._request.receive_data((yield from self._receive()))
        except h11.RemoteProtocolError as error:
            raise BadRequestError(HTTPStatus(error.error_status_hint)) from None
        return event


def _new_request(received: bytes) -> h11.Connection:
    request = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
    if received:
        request.receive_data(received)
    return request
