"""Base of the sync and the async transport: settings, steps of a request, the request for httpcore; no waiting.

Layer 1, reads certificate files and the monotonic clock, no other IO.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import httpx

from connform.debug_log import HTTP
from connform.errors import ConnformError
from connform.http import log_filter, retry
from connform.http.body import Body
from connform.http.client_log import log_client
from connform.http.exchange import Close, ExchangeSteps, Operation, SendRequest, exchange
from connform.http.exchange_log import logged
from connform.http.failures import RequestFailed, RequestTimedOut
from connform.http.net import deadline, tls
from connform.http.net.dial_context import DialContext
from connform.http.origin import pinned_origin
from connform.http.outgoing import RequestBuilder
from connform.http.request_log import RequestLog
from connform.http.settings import ClientSettings, Observer

if TYPE_CHECKING:
    import httpcore


_CONNECTIONS = 100
_IDLE_CONNECTIONS = 20
_IDLE_S = 5.0
"""As in httpx."""
_CLEANING_S = 1.0
"""How often idle connections are looked through while requests are under way."""


STREAMED = "connform.streamed"
"""The extension of a request whose answer the caller reads piece by piece, so that it may be of any size."""


class MendedPool:
    """Base of both pools, before httpcore's own: new connections have the current TLS context, and unused ones can leave the pool."""

    _connections: list[Any]
    _requests: list[Any]

    def __init__(self, *, context: tls.RenewedContext | None, **arguments: Any) -> None:
        self._context = context
        self._cleaned_until = 0.0
        super().__init__(**arguments)

    def _assign_requests_to_connections(self) -> list[Any]:
        """Give waiting requests a connection, and return what must be closed.

        httpcore calls this at the beginning and at the end of each request, looks at every connection then, asks the system about each
        idle one, and counts them all for each. With 32 requests at once, that is a third of the work. Here it does so once a second, and
        where no idle connection is there for the request that waits.
        """
        if monotonic() < self._cleaned_until:
            waiting = [request for request in self._requests if request.is_queued()]
            if not waiting:
                return []
            if len(waiting) == 1 and (connection := self._last_idle()):
                waiting[0].assign_to_connection(connection)
                return []
        self._cleaned_until = monotonic() + _CLEANING_S
        return super()._assign_requests_to_connections()  # type: ignore[misc, no-any-return]  # httpcore's

    def _last_idle(self) -> Any:
        """Return an idle connection that the server has not closed; all of them lead to one origin."""
        idle = next((one for one in reversed(self._connections) if one.is_available()), None)
        return None if idle is None or idle.has_expired() else idle

    def create_connection(self, origin: httpcore.Origin) -> Any:
        self._ssl_context = self._context.current if self._context else None
        return super().create_connection(origin)  # type: ignore[misc]  # httpcore's

    def take_unused(self, *, idle: bool) -> list[Any]:
        """Remove connections that no request uses, and return what must be closed. The caller holds the pool's lock.

        A connection may have been given to a request that waited, and failed before it could use it. httpcore 1.0 keeps its place for
        ever (https://github.com/encode/httpcore/issues/1093, read 2026-11-28). It is removed; its place goes to the next that waits.

        Args:
            idle: whether idle connections are removed as well.
        """
        used = {id(request.connection) for request in self._requests}
        unused = [one for one in self._connections if id(one) not in used and (idle or not one.is_idle())]
        for connection in unused:
            self._connections.remove(connection)
        return [*unused, *super()._assign_requests_to_connections()]  # type: ignore[misc]  # httpcore's


def was_cut(failure: BaseException) -> bool:
    """Return whether a connection was cut. Idle ones may be cut as well, as by a balancer that has forgotten them."""
    return isinstance(failure, RequestFailed) and failure.fault.name == "http_bad_reply"


class AnswerStream:
    """Base of the body of an answer; the deadline of the exchange covers it as well."""

    def __init__(
        self, host: str, answer: httpcore.Response, body: Body, ends_at: float, log: RequestLog | None
    ) -> None:
        self._host = host
        self._answer = answer
        self._body = body
        self._ends_at = ends_at
        self._log = log


class PinnedBase:
    """Base of both transports: everything that neither blocks nor awaits."""

    _stream_class: Callable[..., httpx.SyncByteStream | httpx.AsyncByteStream]
    """The body of an answer, an `AnswerStream`."""

    def __init__(self, settings: ClientSettings, observer: Observer | None) -> None:
        origin = pinned_origin(settings.base_url)
        self._settings = settings
        self._host = origin.host
        self._is_closed = False
        self._origin = origin
        self._root = unquote(urlsplit(settings.base_url).path)  # as httpx has it, which takes ten times as long
        self._request_builder = RequestBuilder(origin)
        self._dial_context = DialContext.of(settings, origin, observer)
        self._pool_arguments: dict[str, Any] = {
            "context": tls.RenewedContext(partial(tls.context_for, settings)) if origin.scheme == "https" else None,
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _IDLE_CONNECTIONS,
            "keepalive_expiry": _IDLE_S,
        }
        if HTTP.is_on:
            log_client(settings, self._dial_context.proxy, uses_tls=origin.scheme == "https")

    def _steps(self, request: httpx.Request, ends_at: float) -> ExchangeSteps[httpx.Response]:
        """Yield the steps of a request, and return the response. They are done inside of the deadline."""
        log_filter.hide_query(request.url)
        settings, path = self._settings, request.url.path
        log = RequestLog(settings.name, request) if HTTP.is_on else None
        operation = Operation(
            self._origin,
            path,
            is_safe=retry.is_safe(request.method, path, self._root, settings.safe_posts),
            can_repeat=isinstance(request.stream, httpx.ByteStream),
            attempts=settings.attempts,
            ends_at=ends_at,
            retry_after_max_s=settings.retry_after_max_s,
            account=settings.account,
        )
        try:
            steps = exchange(settings.credential, operation)
            answer = yield from logged(steps, log) if log else steps
            max_bytes = None if request.extensions.get(STREAMED) else settings.max_body_bytes
            try:
                body = Body(answer.headers, self._host, max_bytes, is_empty=request.method == "HEAD")
            except RequestFailed:
                yield Close(answer)
                raise
        except ConnformError as failure:
            if log:
                log.failed(failure)
            raise
        finally:
            if log:
                log.end()
        stream = self._stream_class(self._host, answer, body, ends_at, log)
        return httpx.Response(
            answer.status, headers=body.headers(answer.headers), stream=stream, extensions=answer.extensions
        )

    def _wire_request(self, request: httpx.Request, step: SendRequest) -> httpcore.Request:
        """Return the request for httpcore; call it inside of the deadline."""
        self._require_open()
        wire_request = self._request_builder.build(request, step.credential)
        wire_request.extensions["timeout"] = self._timeouts(wire_request.extensions["timeout"])
        return wire_request

    def _require_open(self) -> None:
        """Make sure that the client was not closed: httpcore's pool would open again for the request."""
        if self._is_closed:
            raise RequestFailed("http_bad_reply", f"the client was closed before {self._host} had answered", sent=False)

    def _timeouts(self, timeouts: dict[str, float | None]) -> dict[str, float | None]:
        """Return time-outs of which the pool's ends by the deadline: only the pool's wait is not limited by our streams."""
        try:
            return {**timeouts, "pool": deadline.allow(timeouts.get("pool"))}
        except TimeoutError:
            raise RequestTimedOut("http_deadline", f"no time was left to ask {self._host}", sent=False) from None
