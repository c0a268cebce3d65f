"""HTTP/1.1 of one TLS connection to the simulator, with keep-alive, as steps that wait for its socket.

Layer 2; IO: the connection's socket.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from math import inf
from time import monotonic, time
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from connform.http.net.steps import Ready, Steps
from connform.simulator.clients import body_format, parameters_of
from connform.simulator.input import BadRequestError, Head, Input
from connform.simulator.messages import Delivery, Reply, Request, SeenRequest

_LOG = logging.getLogger("connform.simulator")
_LATE_S = 2.0
_LINGER_S = 2.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PHRASES = {one.value: one.phrase for one in HTTPStatus}
T = TypeVar("T")


class Responder(Protocol):
    """What answers the handler's requests."""

    def answer(self, request: Request, /) -> Reply:
        """Return the reply to a request."""

    def record(self, seen: SeenRequest, /) -> None:
        """Record a request, before its reply is sent."""


def serve(connection: ssl.SSLSocket, service: Responder) -> Steps[None]:
    """Serve the requests of a connection until either side closes it; raises OSError if the client cuts it."""
    yield from _when_ready(connection, connection.do_handshake)
    sent = Input(partial(_when_ready, connection, partial(connection.recv, 64 * 1024)))
    is_open = True
    while is_open:
        try:
            head = yield from sent.head()
            if head is None:
                return
            if head.awaits_continue:
                yield from _send(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
            body = yield from sent.body(head)  # before anything is refused, so that the next request begins after it
            request = _request(head, body)
        except BadRequestError as refused:
            yield from _send(connection, _refusal(refused.status))
            yield from _linger(connection)
            return
        is_open = (yield from _reply(connection, service, request)) and head.keeps_alive


def _reply(connection: ssl.SSLSocket, service: Responder, request: Request) -> Steps[bool]:
    """Answer a request, and return whether the connection stays open."""
    reply = service.answer(request)
    service.record(_request_record(request, reply))
    _LOG.info("%s %s%s %d", request.method, request.host, request.path, reply.status)
    match reply.delivery:
        case Delivery.NEVER:
            while (yield from _when_ready(connection, partial(connection.recv, 64 * 1024))):
                pass
            return False
        case Delivery.LOST:
            return False
        case Delivery.LATE:  # or when the client sends more or closes the connection
            yield Ready([connection], monotonic() + _LATE_S, for_writing=False)
    is_truncated = reply.delivery is Delivery.TRUNCATED
    length = 0 if request.method == "HEAD" else len(reply.body) // 2 if is_truncated else len(reply.body)
    yield from _send(connection, _head_of(reply) + reply.body[:length])
    return not is_truncated


def _when_ready(connection: ssl.SSLSocket, operation: Callable[[], T]) -> Steps[T]:
    """Return the result of an operation, which is repeated until the socket is ready for it."""
    while True:
        try:
            return operation()
        except ssl.SSLWantReadError:
            yield Ready([connection], inf, for_writing=False)
        except ssl.SSLWantWriteError:
            yield Ready([connection], inf, for_writing=True)


def _send(connection: ssl.SSLSocket, content: bytes) -> Steps[None]:
    rest = memoryview(content)
    while rest:
        rest = rest[(yield from _when_ready(connection, partial(connection.send, rest))) :]


def _linger(connection: ssl.SSLSocket) -> Steps[None]:
    """Discard what the client still sends: closed at once, the connection is reset, and the reply lost (RFC 9112 §9.6)."""
    connection.shutdown(socket.SHUT_WR)  # ends TLS too: nothing is decrypted from here on
    ends_at = monotonic() + _LINGER_S
    while (yield Ready([connection], ends_at, for_writing=False)) and connection.recv(64 * 1024):
        pass


def _request(head: Head, body: bytes) -> Request:
    """Return a request, or raise `BadRequestError` if its method isn't known, or its host or path isn't valid."""
    if head.method not in _METHODS:
        raise BadRequestError(HTTPStatus.NOT_IMPLEMENTED)
    authority = head.headers.get("host", "").lower()
    try:
        host = urlsplit("//" + authority).hostname or ""
        target = urlsplit(re.sub("^//+", "/", head.target))  # two slashes would begin a host
        path = target.path or "/"
    except ValueError:
        raise BadRequestError(HTTPStatus.BAD_REQUEST) from None
    if not (host and f"{authority}{path}".isascii() and f"{authority}{path}".isprintable()):
        raise BadRequestError(HTTPStatus.BAD_REQUEST)
    return Request(head.method, host, path, head.headers, body, target.query, authority)


def _head_of(reply: Reply) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}",
        "Server: connform-simulator",
        f"Date: {_date(int(time()))}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def _refusal(status: HTTPStatus) -> bytes:
    page = f"<!doctype html><title>{status.value} {status.phrase}</title>".encode()
    return _head_of(Reply(status.value, page, "text/html", (("Connection", "close"),))) + page


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _request_record(request: Request, reply: Reply) -> SeenRequest:
    grant_type = parameters_of(request).get("grant_type", "") if body_format(request) else ""
    return SeenRequest(request.method, request.host, request.path, reply.status, grant_type)
