"""Turns requests into answers over one pinned origin, with a total deadline and a capped body.

Layer 1, uses the network through httpcore's pools, whose way to the network is `dial` or `dial_async`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from connform.http import deadline, quiet, tls
from connform.http.body import Body
from connform.http.dial import SyncDialer
from connform.http.dial_async import AsyncDialer
from connform.http.failures import RequestTimedOut, translated
from connform.http.line import Line
from connform.http.origin import Origin
from connform.http.outgoing import Outgoing
from connform.http.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from connform.http.settings import ClientSettings, Observer

_CONNECTIONS = 100
_IDLE_CONNECTIONS = 20
_IDLE_S = 5.0
"""As in httpx."""


class _Pinned:
    """What both transports share: everything but the waiting."""

    def __init__(self, settings: ClientSettings, observer: Observer | None) -> None:
        origin = Origin.pinned(settings.base_url)
        self._settings = settings
        self._host = origin.host
        self._outgoing = Outgoing(settings, origin)
        # a route has no proxies, and plain http, for this machine alone, would show the credential to one
        by_proxy = bool(settings.proxy) and settings.network.route is None and origin.scheme == "https"
        self._line = Line(settings.network, observer, Proxy.of(settings) if by_proxy else None)
        self._pool_arguments: dict[str, Any] = {
            "ssl_context": tls.context_for(settings) if origin.scheme == "https" else None,
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _IDLE_CONNECTIONS,
            "keepalive_expiry": _IDLE_S,
        }

    def _body(self, request: httpx.Request, answer: httpcore.Response) -> Body:
        return Body(answer.headers, self._host, self._settings.max_body_bytes, is_empty=request.method == "HEAD")

    def _wanted(self, request: httpx.Request) -> tuple[httpcore.Request, float]:
        """Return what goes on the wire and when the exchange must have ended."""
        quiet.hide_query(request.url)
        wanted = self._outgoing.build(request)
        ends_at = deadline.end_of(self._settings.total_s)
        timeouts = wanted.extensions["timeout"]
        try:
            with deadline.until(ends_at):  # the pool's waiting is the only one that no stream of ours sees
                wanted.extensions["timeout"] = {**timeouts, "pool": deadline.allow(timeouts.get("pool"))}
        except TimeoutError:
            raise RequestTimedOut("http_deadline", f"no time was left to ask {self._host}", sent=False) from None
        return wanted, ends_at


class PinnedTransport(_Pinned, httpx.BaseTransport):
    """The transport of `sync_client`."""

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pool = httpcore.ConnectionPool(network_backend=SyncDialer(self._line), **self._pool_arguments)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wanted, ends_at = self._wanted(request)
        with deadline.until(ends_at), translated(self._host):
            answer = self._pool.handle_request(wanted)
        try:
            body = self._body(request, answer)
        except BaseException:
            answer.close()
            raise
        stream = _SyncBody(self._host, answer, body, ends_at)
        return httpx.Response(
            answer.status, headers=body.headers(answer.headers), stream=stream, extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


class _SyncBody(httpx.SyncByteStream):
    """The body of an answer; the deadline goes on until its last byte."""

    def __init__(self, host: str, answer: httpcore.Response, body: Body, ends_at: float) -> None:
        self._host = host
        self._answer = answer
        self._body = body
        self._ends_at = ends_at

    def __iter__(self) -> Iterator[bytes]:
        chunks = self._answer.iter_stream()
        while True:
            with (
                deadline.until(self._ends_at),
                translated(self._host),
            ):  # never around a `yield`: it would reach into the caller
                chunk = next(chunks, None)
            if chunk is None:
                break
            yield from self._body.feed(chunk)
        self._body.end()

    def close(self) -> None:
        self._answer.close()


class AsyncPinnedTransport(_Pinned, httpx.AsyncBaseTransport):
    """The transport of `async_client`."""

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pool = httpcore.AsyncConnectionPool(network_backend=AsyncDialer(self._line), **self._pool_arguments)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wanted, ends_at = self._wanted(request)
        with deadline.until(ends_at), translated(self._host):
            answer = await self._pool.handle_async_request(wanted)
        try:
            body = self._body(request, answer)
        except BaseException:
            await answer.aclose()
            raise
        stream = _AsyncBody(self._host, answer, body, ends_at)
        return httpx.Response(
            answer.status, headers=body.headers(answer.headers), stream=stream, extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    """The body of an answer; the deadline goes on until its last byte."""

    def __init__(self, host: str, answer: httpcore.Response, body: Body, ends_at: float) -> None:
        self._host = host
        self._answer = answer
        self._body = body
        self._ends_at = ends_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._answer.aiter_stream()
        while True:
            with deadline.until(self._ends_at), translated(self._host):
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            for piece in self._body.feed(chunk):
                yield piece
        self._body.end()

    async def aclose(self) -> None:
        await self._answer.aclose()
