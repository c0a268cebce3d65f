"""The bodies of requests: small ones are read first, so that they can be sent again; others are passed on as they come. Layer 4; IO: sockets."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

from connform.servers.proxy.refusal import Headers

MAX_READ_BYTES = 64 * 1024
"""The largest body that is read before the request is sent."""
Receive = Callable[[], Awaitable[Any]]


class ClientGone(Exception):
    """The client closed the connection."""


async def body_of(headers: Headers, receive: Receive) -> tuple[bytes | AsyncIterable[bytes], Headers]:
    """Return the body of a request, and the header lines that say how it is sent.

    Args:
        headers: of the client, checked: one length at most, and none beside `Transfer-Encoding`.
        receive: the function of ASGI.

    Raises:
        ClientGone: the client closed the connection.
    """
    length = next((value for name, value in headers if name == b"content-length"), None)
    if length is not None:
        framing = [(b"content-length", length)]
        if int(length) > MAX_READ_BYTES:
            return _pieces(receive), framing
        return b"".join([piece async for piece in _pieces(receive)]) if int(length) else b"", framing
    if any(name == b"transfer-encoding" for name, _ in headers):
        return _pieces(receive), [(b"transfer-encoding", b"chunked")]
    return b"", []


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        more = message["more_body"]
        if message["body"]:
            yield message["body"]
