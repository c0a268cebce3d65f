"""Sends answers to the client: those of the API as they come, and those of the proxy itself. Layer 4; IO: sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from connform.errors import ConnectionFailed
from connform.http.forwarded import ForwardedAnswer
from connform.servers.proxy.access_log import LoggedRequest
from connform.servers.proxy.refusal import CLOSE, Headers, Refusal

Send = Callable[[Any], Awaitable[None]]
_LAST_STATUS = 599


async def pass_on(answer: ForwardedAnswer, headers: Headers, send: Send, entry: LoggedRequest) -> None:
    """Send the answer as it comes. One that is cut ends the connection, so that the client sees it is cut."""
    if not HTTPStatus.OK <= answer.status <= _LAST_STATUS:
        message = f"the API answered with the status {answer.status}, which is none of HTTP"
        raise Refusal(HTTPStatus.BAD_GATEWAY, "http_bad_reply", message)
    entry.status = answer.status
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    try:
        async for piece in answer.pieces():
            entry.answer_bytes += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except ConnectionFailed as failure:
        entry.code = failure.fault.name
        return  # uvicorn closes the connection where an answer is not complete
    await send({"type": "http.response.body", "body": b""})


async def send_refusal(refusal: Refusal, send: Send, entry: LoggedRequest, *, expects: bool) -> None:
    """Send the answer of the proxy itself.

    Args:
        refusal: why there is no other.
        send: the function of ASGI.
        entry: what is logged of the request.
        expects: whether the client waits for `100 Continue` before it sends the body.
    """
    entry.status, entry.code = refusal.status, refusal.code
    headers = refusal.headers
    if expects and CLOSE not in headers:  # the client may send the body that it announced, or another request
        headers.append(CLOSE)
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
