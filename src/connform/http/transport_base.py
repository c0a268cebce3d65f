"""Base of the sync and the async transport: settings, steps of a request, the request for httpcore; no waiting.

Layer 1, reads certificate files and the monotonic clock, no other IO.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from connform.http import log_filter, retry
from connform.http.body import Body
from connform.http.exchange import Operation, Renew, SendRequest, Wait, exchange
from connform.http.failures import RequestFailed, RequestTimedOut
from connform.http.net import deadline, tls
from connform.http.net.dialing import DialContext
from connform.http.net.proxy import Proxy
from connform.http.origin import pinned_origin
from connform.http.outgoing import RequestBuilder
from connform.http.settings import ClientSettings, Observer

if TYPE_CHECKING:
    import httpcore


_CONNECTIONS = 100
_IDLE_CONNECTIONS = 20
_IDLE_S = 5.0
"""As in httpx."""
LOST_CONNECTION = "http_bad_reply"
"""The fault of a connection that was cut. Idle ones may be cut as well, as by a balancer that has forgotten them: they are closed."""


STREAMED = "connform.streamed"
"""The extension of a request whose answer the caller reads piece by piece, so that it may be of any size."""


def take_idle(pool: Any) -> list[Any]:
    """Remove the idle connections from a pool of httpcore, and return them; the caller holds the pool's lock."""
    return _take_unused(pool, lambda connection: connection.is_idle())


def take_lost(pool: Any) -> list[Any]:
    """Remove the connections that were given to requests which have ended since, and return them; the caller holds the pool's lock.

    httpcore 1.0 keeps the place of such a connection for ever: it was given to a request that waited, and was cancelled before
    it could use it (https://github.com/encode/httpcore/issues/1093, read 2026-11-28).
    """
    return _take_unused(pool, lambda connection: not connection.is_idle() and not connection.is_closed())


def _take_unused(pool: Any, is_wanted: Callable[[Any], bool]) -> list[Any]:
    connections = pool._connections  # noqa: SLF001  (httpcore has no public way)
    used = {id(request.connection) for request in pool._requests}  # noqa: SLF001
    taken = [connection for connection in connections if id(connection) not in used and is_wanted(connection)]
    for connection in taken:
        connections.remove(connection)
    return taken


class PinnedBase:
    """Base of both transports: everything that neither blocks nor awaits."""

    def __init__(self, settings: ClientSettings, observer: Observer | None) -> None:
        origin = pinned_origin(settings.base_url)
        self._settings = settings
        self._host = origin.host
        self._is_closed = False
        self._origin = origin
        self._root = httpx.URL(settings.base_url).path
        self._request_builder = RequestBuilder(origin)
        # not with a route, nor with plain http (loopback only), which would show the credential to the proxy
        uses_proxy = bool(settings.proxy) and settings.network.route is None and origin.scheme == "https"
        self._dial_context = DialContext(settings.network, observer, Proxy.of(settings, origin) if uses_proxy else None)
        self._pool_arguments: dict[str, Any] = {
            "context": tls.RenewedContext(partial(tls.context_for, settings)) if origin.scheme == "https" else None,
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _IDLE_CONNECTIONS,
            "keepalive_expiry": _IDLE_S,
        }

    def _body(self, request: httpx.Request, answer: httpcore.Response) -> Body:
        max_bytes = None if request.extensions.get(STREAMED) else self._settings.max_body_bytes
        return Body(answer.headers, self._host, max_bytes, is_empty=request.method == "HEAD")

    def _steps(
        self, request: httpx.Request
    ) -> tuple[Generator[Renew | SendRequest | Wait, Any, httpcore.Response], float]:
        """Return the steps of a request's exchange and when it must have ended."""
        log_filter.hide_query(request.url)
        settings = self._settings
        ends_at = deadline.end_of(settings.total_s)
        operation = Operation(
            self._origin,
            request.url.path,
            is_safe=retry.is_safe(request.method, request.url.path, self._root, settings.safe_posts),
            can_repeat=isinstance(request.stream, httpx.ByteStream),
            attempts=settings.attempts,
            ends_at=ends_at,
            account=settings.account,
        )
        return exchange(settings.credential, operation), ends_at

    def _wire_request(self, request: httpx.Request, step: SendRequest) -> httpcore.Request:
        """Return the request for httpcore; call it inside of the deadline."""
        if self._is_closed:  # httpcore's pool would open again for the request
            raise RequestFailed("http_bad_reply", f"the client was closed before {self._host} had answered", sent=False)
        wire_request = self._request_builder.build(request, step.credential)
        timeouts = wire_request.extensions["timeout"]
        try:  # only the pool's wait is not limited by our streams
            wire_request.extensions["timeout"] = {**timeouts, "pool": deadline.allow(timeouts.get("pool"))}
        except TimeoutError:
            raise RequestTimedOut("http_deadline", f"no time was left to ask {self._host}", sent=False) from None
        return wire_request
