"""The transport of `connform proxy`: sends the requests of other programs with the credential, and answers as they come.

Layer 1, uses the network. Bodies are neither decoded nor limited in size or time; the time-outs of reading and writing stay. No
URL is parsed, and no httpx object made, since a request shall cost little.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import httpcore
import httpx

from connform.debug_log import HTTP
from connform.http import query, retry
from connform.http.exchange import Operation, SendRequest, exchange
from connform.http.exchange_log import logged
from connform.http.failures import HTTPCORE_ERRORS, RequestFailed, translate
from connform.http.net import deadline
from connform.http.net.steps import run_async
from connform.http.request_log import RequestLog
from connform.http.settings import ClientSettings
from connform.http.transport_async import AsyncPinnedTransport
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.http.exchange import ExchangeSteps


class ForwardedRequest(NamedTuple):
    """A request of another program, checked, and without the headers that belong to its own connection."""

    method: str
    """Upper case."""
    path: str
    """The path at the API, percent-encoded."""
    target: bytes
    """The same with the query."""
    headers: list[tuple[bytes, bytes]]
    """Header lines, names in lower case; `Content-Length` or `Transfer-Encoding` says how the body is sent."""
    stream: bytes | AsyncIterable[bytes]
    """The body. One that isn't `bytes` is sent once, whatever the answer."""


class ForwardedAnswer:
    """The answer of the API: its headers have been read, its body hasn't."""

    def __init__(self, answer: httpcore.Response, host: str) -> None:
        self._answer = answer
        self._host = host
        self.status = answer.status
        """HTTP status."""
        self.headers: list[tuple[bytes, bytes]] = answer.headers
        """Header lines as they came; parameters of the credential are removed from URLs."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, encoded as it was sent.

        Raises:
            RequestFailed: the API cut the connection, or was silent for too long.
        """
        chunks = self._answer.aiter_stream()
        while True:
            with hidden_frames():
                try:
                    chunk = await anext(chunks, None)
                except HTTPCORE_ERRORS as error:
                    raise translate(error, self._host) from None
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        """Give the connection back; one with an unread body is closed."""
        with hidden_frames():
            await self._answer.aclose()


class Forwarder(AsyncPinnedTransport):
    """Sends the requests of other programs to one connection's origin."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._limits: dict[str, float | None] = {
            "connect": settings.connect_s,
            "read": settings.read_s,
            "write": settings.write_s,
            "pool": settings.pool_s,
        }

    async def forward(self, request: ForwardedRequest) -> ForwardedAnswer:
        """Send a request with the credential, and return the answer as soon as its headers are there.

        The total time-out counts until then, unless the body is a stream.

        Raises:
            RequestFailed: there is no credential, or no answer.
            httpx.LocalProtocolError: a header of the request is illegal.
        """
        is_stream = not isinstance(request.stream, bytes)
        ends_at = inf if is_stream else monotonic() + self._settings.total_s
        with deadline.until(ends_at):
            answer = await run_async(self._forward_steps(request, ends_at), partial(self._perform, request))  # type: ignore[arg-type]  # `_wire_request` takes it
        return ForwardedAnswer(answer, self._host)

    def _forward_steps(self, request: ForwardedRequest, ends_at: float) -> ExchangeSteps[httpcore.Response]:
        settings = self._settings
        operation = Operation(
            self._origin,
            request.path,
            is_safe=retry.is_safe(request.method, request.path, self._root, settings.safe_posts),
            can_repeat=isinstance(request.stream, bytes),
            attempts=settings.attempts,
            ends_at=ends_at,
            retry_after_max_s=settings.retry_after_max_s,
            account=settings.account,
        )
        steps = exchange(settings.credential, operation)
        if not HTTP.is_on:
            return (yield from steps)
        log = RequestLog(settings.name, httpx.Request(request.method, f"{self._origin}{request.path}"))
        try:
            return (yield from logged(steps, log))
        except RequestFailed as failure:
            log.failed(failure)
            raise
        finally:
            log.end()

    def _wire_request(self, request: ForwardedRequest, step: SendRequest) -> httpcore.Request:  # type: ignore[override]
        """Return the request for httpcore; call it inside of the deadline and of `hidden_frames`."""
        self._require_open()
        target = request.target
        if step.credential.parameters:
            target = query.without_parameters(target, step.credential)
        names = {_as_servers_read(name.lower()) for name, _ in step.credential.reveal()}
        headers = [line for line in request.headers if _as_servers_read(line[0]) not in names]
        return self._request_builder.wire_request(
            request.method, target, headers, request.stream, step.credential, self._timeouts(self._limits)
        )


def _as_servers_read(name: bytes) -> bytes:
    """Return the name of a header as servers of CGI and WSGI read it: `_` and `-` are one character there (RFC 3875 §4.1.18)."""
    return name.replace(b"_", b"-")
