"""uvicorn's HTTP/1.1 protocol, stricter: what two programs could read as different requests is refused before it is parsed.

Layer 4; IO: sockets. h11 is lenient where a server that answers by itself may be: it accepts line ends without CR, folded lines,
and several equal lengths, and ignores a length beside `Transfer-Encoding`.
"""

from __future__ import annotations

import re
from asyncio import Task
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from connform.servers.proxy import peer
from connform.servers.proxy.refusal import CLOSE, Refusal

MAX_HEAD_BYTES = 64 * 1024
"""Of a request's line and headers."""
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_HEAD = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP/1\.[01](?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[^\x00-\x08\x0a-\x1f\x7f]*)*"
)
_FRAMING_LINE = re.compile(rb"\r\n(content-length|transfer-encoding):[ \t]*([^\r]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,18}")


class StrictConnection(h11.Connection):
    """A connection of h11 that looks at the bytes of each request first."""

    refusal: Refusal | None = None
    """Why the last request was refused."""

    def next_event(self) -> Any:
        """Return the next event; raises h11.RemoteProtocolError for a request that is refused."""
        if self.their_state is h11.IDLE and (problem := _problem(self.trailing_data[0])):
            self.refusal = Refusal(HTTPStatus.BAD_REQUEST, "request_malformed", problem, CLOSE)
            raise h11.RemoteProtocolError(problem)
        try:
            return super().next_event()
        except h11.RemoteProtocolError as error:
            status = HTTPStatus(error.error_status_hint)
            self.refusal = Refusal(status, "request_malformed", "the request is not HTTP/1.1", CLOSE)
            raise


def _problem(data: bytes) -> str:
    """Return what is wrong with the head of a request; empty for nothing, and while it isn't complete."""
    data = data.lstrip(b"\r\n") if data[:1] in b"\r\n" else data
    end = _HEAD_END.search(data)
    if end is None:
        return ""
    head = data[: end.start()]
    if end[0] != b"\r\n\r\n" or not _HEAD.fullmatch(head):
        return (
            "its first line or a header is malformed: folded lines, bare line feeds and control characters are refused"
        )
    framing = [(name.lower(), value.rstrip(b" \t")) for name, value in _FRAMING_LINE.findall(head)]
    if len(framing) > 1:
        return "it has more than one of `Content-Length` and `Transfer-Encoding`"
    for name, value in framing:
        if name == b"content-length" and not _LENGTH.fullmatch(value):
            return "its `Content-Length` is no number"
        if name == b"transfer-encoding" and (
            value.lower() != b"chunked" or b" HTTP/1.0\r\n" in head[: head.find(b"\n") + 1]
        ):
            return "its `Transfer-Encoding` has to be `chunked`, in HTTP/1.1"
    return ""


class ClientConnection(H11Protocol):
    """A connection of a client."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._strict = StrictConnection(h11.SERVER, MAX_HEAD_BYTES)
        self.conn = self._strict
        self.app_state = {"connection": self}
        self.task: Task[Any] | None = None
        """The task that answers a request; it is cancelled where the client goes away."""
        self.is_own_user = False
        """Whether the client runs as our own user."""

    def connection_made(self, transport: Any) -> None:
        """Find out who connected."""
        super().connection_made(transport)
        try:
            self.is_own_user = peer.is_own(transport.get_extra_info("socket"))
        except OSError:  # it is gone already
            self.is_own_user = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel what nobody waits for."""
        super().connection_lost(exc)
        if self.task is not None:
            self.task.cancel()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's words are for its log)
        """Answer a request that is refused, and close the connection."""
        refusal = self._strict.refusal
        if not getattr(self.cycle, "response_complete", True):  # it stood in the body of a request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif refusal is not None:
            self.config.app.log_malformed(refusal)  # type: ignore[union-attr]  # a `ProxyApp`
        if refusal is not None and self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            reason = refusal.status.phrase.encode("ascii")
            for event in (
                h11.Response(status_code=refusal.status, headers=refusal.headers, reason=reason),
                h11.Data(data=refusal.body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
