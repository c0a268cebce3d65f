"""What a client of the simulator sends: heads and bodies of HTTP/1.1 requests (RFC 9112), read in steps.

Layer 2; IO: through the function that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from connform.http.net.steps import Steps

_MAX_HEAD_BYTES = 64 * 1024
_MAX_LINE_BYTES = 8 * 1024
_MAX_BODY_BYTES = 16 * 1024 * 1024
_REQUEST_LINE_WORDS = 3


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
    version: str
    """`HTTP/1.1`."""
    headers: Mapping[str, str]
    """By lower-case name."""

    @property
    def keeps_alive(self) -> bool:
        """Whether the client may send another request (RFC 9112 §9.3)."""
        option = self.headers.get("connection", "").lower()
        return option == "keep-alive" if self.version == "HTTP/1.0" else option != "close"

    @property
    def awaits_continue(self) -> bool:
        """Whether the client waits before it sends its body (RFC 9110 §10.1.1)."""
        return self.headers.get("expect", "").lower() == "100-continue"


class Input:
    """The bytes of a connection, in the order of their arrival."""

    def __init__(self, receive: Callable[[], Steps[bytes]]) -> None:
        """Take the steps that return the next bytes, and none at the end."""
        self._receive = receive
        self._buffer = bytearray()

    def head(self) -> Steps[Head | None]:
        """Return the next request's head; `None` if the client has closed the connection.

        Raises:
            BadRequestError: it isn't valid, or larger than 64 KiB.
        """
        text = yield from self._until(b"\r\n\r\n", _MAX_HEAD_BYTES, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if text is None:
            return None
        first, *lines = text.decode("latin-1").lstrip("\r\n").split("\r\n")
        words = first.split(" ")
        if len(words) != _REQUEST_LINE_WORDS or not words[2].startswith("HTTP/1."):
            raise BadRequestError(HTTPStatus.BAD_REQUEST)
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():  # also a line that continues the one before (RFC 9112 §5.2)
                raise BadRequestError(HTTPStatus.BAD_REQUEST)
            headers[name.lower()] = value.strip(" \t")
        return Head(words[0], words[1], words[2], headers)

    def body(self, head: Head) -> Steps[bytes]:
        """Return the body of the request whose head was read before.

        Raises:
            BadRequestError: it isn't valid, ends too early, or is larger than 16 MiB.
        """
        try:
            if head.headers.get("transfer-encoding", "").lower() == "chunked":
                return (yield from self._chunks())
            return (yield from self._exactly(int(head.headers.get("content-length", "0"))))
        except ValueError:
            raise BadRequestError(HTTPStatus.BAD_REQUEST) from None

    def _chunks(self) -> Steps[bytes]:
        """RFC 9112 §7.1; extensions and trailers are ignored."""
        body = bytearray()
        while size := int((yield from self._line()).partition(b";")[0], 16):
            body += yield from self._exactly(size, read_before=len(body))
            yield from self._line()
        while (yield from self._line()):
            pass
        return bytes(body)

    def _line(self) -> Steps[bytes]:
        line = yield from self._until(b"\r\n", _MAX_LINE_BYTES, HTTPStatus.BAD_REQUEST)
        if line is None:
            raise BadRequestError(HTTPStatus.BAD_REQUEST)
        return line

    def _until(self, end: bytes, limit: int, too_large: HTTPStatus) -> Steps[bytes | None]:
        """Return what comes before `end`; `None` if the connection ends before."""
        while (size := self._buffer.find(end)) < 0 and len(self._buffer) <= limit:
            received = yield from self._receive()
            if not received:
                return None
            self._buffer += received
        if not 0 <= size <= limit:
            raise BadRequestError(too_large)
        found = bytes(self._buffer[:size])
        del self._buffer[: size + len(end)]
        return found

    def _exactly(self, size: int, read_before: int = 0) -> Steps[bytes]:
        if size < 0:
            raise BadRequestError(HTTPStatus.BAD_REQUEST)
        if read_before + size > _MAX_BODY_BYTES:
            raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        while len(self._buffer) < size:
            received = yield from self._receive()
            if not received:
                raise BadRequestError(HTTPStatus.BAD_REQUEST)
            self._buffer += received
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content
