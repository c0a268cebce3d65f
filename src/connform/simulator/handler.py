"""HTTP/1.1 handler of one TLS connection to the simulator, with keep-alive.

Layer 2; IO: the connection's socket.
"""

from __future__ import annotations

import logging
import select
import ssl
from http.server import BaseHTTPRequestHandler
from typing import Protocol
from urllib.parse import urlsplit

from connform.simulator.clients import body_format, parameters_of
from connform.simulator.messages import Delivery, Reply, Request, SeenRequest

_LOG = logging.getLogger("connform.simulator")
_MAX_BODY_BYTES = 16 * 1024 * 1024
_MAX_LINE_BYTES = 8 * 1024
_LATE_S = 2.0
_BAD_REQUEST, _TOO_LARGE = 400, 413


class Responder(Protocol):
    """What answers the handler's requests."""

    def answer(self, request: Request, /) -> Reply:
        """Return the reply to a request."""

    def record(self, seen: SeenRequest, /) -> None:
        """Record a request, before its reply is sent."""


class _BadRequestError(Exception):
    """The request can't be parsed; `status` is the HTTP status of the reply."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """One connection; serves requests until either side closes it."""

    protocol_version = "HTTP/1.1"
    server_version = "connform-simulator"
    sys_version = ""
    wbufsize = -1  # buffered, so that head and body are sent in one piece
    disable_nagle_algorithm = True

    def __init__(self, connection: ssl.SSLSocket, address: tuple[str, int], service: Responder) -> None:
        self._service = service
        super().__init__(connection, address, service)  # type: ignore[arg-type]  # it is only stored as `.server`

    def _respond(self) -> None:
        try:
            request = self._read_request()
        except _BadRequestError as refused:
            self.send_error(refused.status)
            return
        reply = self._service.answer(request)
        self._service.record(_request_record(request, reply))
        _LOG.info("%s %s%s %d", request.method, request.host, request.path, reply.status)
        if reply.delivery is Delivery.NEVER:
            self._wait_until_closed()
        elif reply.delivery is Delivery.LOST:
            self.close_connection = True
        else:
            if reply.delivery is Delivery.LATE:  # or until the client closes the connection, or the simulator stops
                select.select([self.connection], [], [], _LATE_S)
            self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815  (http.server's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
        """Do nothing: `_respond` logs each request."""

    def _read_request(self) -> Request:
        body = self._read_body()  # read it first, so that the connection is at the start of the next request
        authority = self.headers.get("Host", "").lower()
        try:
            host = urlsplit("//" + authority).hostname or ""
            target = urlsplit(self.path)
            path = target.path or "/"
        except ValueError:
            raise _BadRequestError(_BAD_REQUEST) from None
        if not (host and f"{authority}{path}".isascii() and f"{authority}{path}".isprintable()):
            raise _BadRequestError(_BAD_REQUEST)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, host, path, headers, body, target.query, authority)

    def _read_body(self) -> bytes:
        try:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                return self._read_chunked_body()
            return self._read(int(self.headers.get("Content-Length", "0")))
        except ValueError:
            raise _BadRequestError(_BAD_REQUEST) from None

    def _read_chunked_body(self) -> bytes:
        """RFC 9112 §7.1; extensions and trailers are ignored."""
        body = bytearray()
        while size := int(self._read_line().partition(b";")[0], 16):
            body += self._read(size, read_before=len(body))
            self._read_line()
        while self._read_line().strip():
            pass
        return bytes(body)

    def _read_line(self) -> bytes:
        return self.rfile.readline(_MAX_LINE_BYTES)

    def _read(self, size: int, read_before: int = 0) -> bytes:
        if size < 0:
            raise _BadRequestError(_BAD_REQUEST)
        if read_before + size > _MAX_BODY_BYTES:
            raise _BadRequestError(_TOO_LARGE)
        content = self.rfile.read(size)
        if len(content) < size:
            raise _BadRequestError(_BAD_REQUEST)
        return content

    def _send(self, reply: Reply) -> None:
        truncated = reply.delivery is Delivery.TRUNCATED
        sent_bytes = 0 if self.command == "HEAD" else len(reply.body) // 2 if truncated else len(reply.body)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[:sent_bytes])
        self.close_connection = self.close_connection or truncated

    def _wait_until_closed(self) -> None:
        while self.connection.recv(1):
            pass
        self.close_connection = True


def _request_record(request: Request, reply: Reply) -> SeenRequest:
    grant_type = parameters_of(request).get("grant_type", "") if body_format(request) else ""
    return SeenRequest(request.method, request.host, request.path, reply.status, grant_type)
