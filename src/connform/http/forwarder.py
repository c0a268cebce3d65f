"""The transport of `connform proxy`: sends the requests of other programs with the credential, and answers as they come.

Layer 1, uses the network. Bodies are neither decoded nor limited in size or time; the time-outs of reading and writing stay. No
URL is parsed, and no httpx object made, since a request shall cost little.
"""

from __future__ import annotations

from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import httpcore
import httpx

from connform.debug_log import HTTP
from connform.http import query, retry
from connform.http.exchange import Operation, SendRequest, exchange
from connform.http.exchange_log import logged
from connform.http.failures import RequestFailed
from connform.http.forwarded import ForwardedAnswer, ForwardedRequest
from connform.http.net import deadline
from connform.http.net.steps import run_async
from connform.http.request_log import RequestLog
from connform.http.settings import ClientSettings
from connform.http.transport_async import AsyncPinnedTransport

if TYPE_CHECKING:
    from connform.http.exchange import ExchangeSteps


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
        steps: ExchangeSteps[httpcore.Response] = exchange(settings.credential, operation)
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

    def _wire_request(self, request: ForwardedRequest, step: SendRequest) -> httpcore.Request:  # type: ignore[override]  # of its own kind of request
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
