"""httpx transports pinned to one origin, sync and async, with a total deadline and a body limit.

Layer 1, uses the network through httpcore's pools, with the network backends `dial` and `dial_async`. Requests and
buffers below hold the credential in clear, so exceptions leave here without the frames of httpcore.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import httpcore
import httpx
from anyio.lowlevel import RunVar

from connform.http import log_filter, retry
from connform.http.body import Body
from connform.http.exchange import Operation, Renew, SendRequest, Wait, exchange
from connform.http.failures import RequestFailed, RequestTimedOut, translated_errors
from connform.http.net import deadline, tls
from connform.http.net.dial import SyncDialer
from connform.http.net.dial_async import AsyncDialer
from connform.http.net.dialing import DialContext
from connform.http.net.proxy import Proxy
from connform.http.origin import Origin
from connform.http.outgoing import RequestBuilder
from connform.process_local import ProcessLocal
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from connform.http.settings import ClientSettings, HeaderLines, Observer

_CONNECTIONS = 100
_IDLE_CONNECTIONS = 20
_IDLE_S = 5.0
"""As in httpx."""


_MAX_RENEWALS = 40
"""For all clients of an event loop. More threads would not renew faster: they would wait for the state database."""
_RENEWAL_LIMITER: RunVar[anyio.CapacityLimiter] = RunVar("connform renewals")


def _renewal_limiter() -> anyio.CapacityLimiter:
    """Return the event loop's limit for renewals in threads; it is apart from the 40 threads of anyio's own limit."""
    try:
        return _RENEWAL_LIMITER.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MAX_RENEWALS)
        _RENEWAL_LIMITER.set(limiter)
        return limiter


class PinnedBase:
    """Base of both transports: everything that neither blocks nor awaits."""

    def __init__(self, settings: ClientSettings, observer: Observer | None) -> None:
        origin = Origin.pinned(settings.base_url)
        self._settings = settings
        self._host = origin.host
        self._is_closed = False
        self._origin = origin
        self._root = httpx.URL(settings.base_url).path
        self._request_builder = RequestBuilder(origin)
        # not with a route, nor with plain http (loopback only), which would show the credential to the proxy
        uses_proxy = bool(settings.proxy) and settings.network.route is None and origin.scheme == "https"
        self._dial_context = DialContext(settings.network, observer, Proxy.of(settings) if uses_proxy else None)
        self._pool_arguments: dict[str, Any] = {
            "ssl_context": tls.context_for(settings) if origin.scheme == "https" else None,
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _IDLE_CONNECTIONS,
            "keepalive_expiry": _IDLE_S,
        }

    def _body(self, request: httpx.Request, answer: httpcore.Response) -> Body:
        return Body(answer.headers, self._host, self._settings.max_body_bytes, is_empty=request.method == "HEAD")

    def _steps(
        self, request: httpx.Request
    ) -> tuple[Generator[Renew | SendRequest | Wait, Any, httpcore.Response], float]:
        """Return the steps of a request's exchange and when it must have ended."""
        log_filter.hide_query(request.url)
        settings = self._settings
        ends_at = deadline.end_of(settings.total_s)
        operation = Operation(
            self._origin,
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


class _Pool(httpcore.ConnectionPool):
    """httpcore's pool with a lock for each process, so that a forked child can close the answers that it inherited.

    It is a `threading.Lock`: httpcore's own lock class stays locked where a signal handler raises in its `__enter__`.
    """

    def __init__(self, **arguments: Any) -> None:
        self._locks = ProcessLocal(Lock)
        super().__init__(**arguments)

    def _lock(self) -> Lock:
        return self._locks.own

    def _ignore_lock(self, _: object) -> None:
        """Ignore the lock that httpcore sets."""

    _optional_thread_lock = property(_lock, _ignore_lock)  # of httpcore 1.0.3 and later
    _pool_lock = property(_lock, _ignore_lock)  # before


class PinnedTransport(PinnedBase, httpx.BaseTransport):
    """The transport of `sync_client`."""

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pools = ProcessLocal(
            lambda: _Pool(network_backend=SyncDialer(self._dial_context), **self._pool_arguments)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        steps, ends_at = self._steps(request)
        with deadline.until(ends_at):
            answer = self._drive(steps, request)
        try:
            body = self._body(request, answer)
        except BaseException:
            _close(answer)
            raise
        stream = _SyncBody(self._host, answer, body, ends_at)
        return httpx.Response(
            answer.status, headers=body.headers(answer.headers), stream=stream, extensions=answer.extensions
        )

    def _drive(
        self, steps: Generator[Renew | SendRequest | Wait, Any, httpcore.Response], request: httpx.Request
    ) -> httpcore.Response:
        outcome: Any = None
        open_answer: httpcore.Response | None = None
        try:
            while True:
                step = steps.send(outcome)
                # after a renewal, the refused answer may be returned
                if open_answer is not None and not isinstance(step, Renew):
                    _close(open_answer)
                    open_answer = None
                match step:
                    case SendRequest():
                        outcome = self._send(step, request)
                        open_answer = None if isinstance(outcome, RequestFailed) else outcome
                    case Wait():
                        time.sleep(step.seconds)
                        outcome = None
                    case Renew():
                        outcome = step.credential.renew(step.refused)
        except StopIteration as stop:
            answer: httpcore.Response = stop.value
            return answer
        except BaseException:
            if open_answer is not None:  # it holds a connection of the pool
                _close(open_answer)
            raise

    def _send(self, step: SendRequest, request: httpx.Request) -> httpcore.Response | RequestFailed:
        try:
            with hidden_frames(request.stream), translated_errors(self._host):
                return self._pools.own.handle_request(self._wire_request(request, step))
        except RequestFailed as failure:
            if self._is_closed:
                raise
            return failure

    def close(self) -> None:
        self._is_closed = True
        with hidden_frames():
            self._pools.own.close()


class _SyncBody(httpx.SyncByteStream):
    """The body of an answer; the deadline of the exchange covers it as well."""

    def __init__(self, host: str, answer: httpcore.Response, body: Body, ends_at: float) -> None:
        self._host = host
        self._answer = answer
        self._body = body
        self._ends_at = ends_at

    def __iter__(self) -> Iterator[bytes]:
        chunks = self._answer.iter_stream()
        while True:
            # never around a `yield`: the deadline would apply to the caller's code
            with deadline.until(self._ends_at), hidden_frames(), translated_errors(self._host):
                chunk = next(chunks, None)
            if chunk is None:
                break
            yield from self._body.feed(chunk)
        self._body.end()

    def close(self) -> None:
        _close(self._answer)


def _close(answer: httpcore.Response) -> None:
    with hidden_frames():
        answer.close()


class AsyncPinnedTransport(PinnedBase, httpx.AsyncBaseTransport):
    """The transport of `async_client`."""

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pools = ProcessLocal(
            lambda: httpcore.AsyncConnectionPool(
                network_backend=AsyncDialer(self._dial_context), **self._pool_arguments
            )
        )
        self._renewing = ProcessLocal(anyio.Lock)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        steps, ends_at = self._steps(request)
        with deadline.until(ends_at):
            answer = await self._drive(steps, request)
        try:
            body = self._body(request, answer)
        except BaseException:
            await _aclose(answer)
            raise
        stream = _AsyncBody(self._host, answer, body, ends_at)
        return httpx.Response(
            answer.status, headers=body.headers(answer.headers), stream=stream, extensions=answer.extensions
        )

    async def _drive(
        self, steps: Generator[Renew | SendRequest | Wait, Any, httpcore.Response], request: httpx.Request
    ) -> httpcore.Response:
        outcome: Any = None
        open_answer: httpcore.Response | None = None
        try:
            while True:
                step = steps.send(outcome)
                # after a renewal, the refused answer may be returned
                if open_answer is not None and not isinstance(step, Renew):
                    await _aclose(open_answer)
                    open_answer = None
                match step:
                    case SendRequest():
                        outcome = await self._send(step, request)
                        open_answer = None if isinstance(outcome, RequestFailed) else outcome
                    case Wait():
                        await anyio.sleep(step.seconds)
                        outcome = None
                    case Renew():
                        outcome = await self._renew(step)
        except StopIteration as stop:
            answer: httpcore.Response = stop.value
            return answer
        except BaseException:
            if open_answer is not None:  # it holds a connection of the pool
                await _aclose(open_answer)
            raise

    async def _send(self, step: SendRequest, request: httpx.Request) -> httpcore.Response | RequestFailed:
        try:
            with hidden_frames(request.stream), translated_errors(self._host):
                return await self._pools.own.handle_async_request(self._wire_request(request, step))
        except RequestFailed as failure:
            if self._is_closed:
                raise
            return failure

    async def _renew(self, step: Renew) -> HeaderLines:
        """Renew in a thread. Other renewals of this client wait for it without a thread."""
        async with self._renewing.own:
            return await anyio.to_thread.run_sync(step.credential.renew, step.refused, limiter=_renewal_limiter())

    async def aclose(self) -> None:
        self._is_closed = True
        with hidden_frames():
            await self._pools.own.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    """The body of an answer; the deadline of the exchange covers it as well."""

    def __init__(self, host: str, answer: httpcore.Response, body: Body, ends_at: float) -> None:
        self._host = host
        self._answer = answer
        self._body = body
        self._ends_at = ends_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._answer.aiter_stream()
        while True:
            with deadline.until(self._ends_at), hidden_frames(), translated_errors(self._host):
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            for piece in self._body.feed(chunk):
                yield piece
        self._body.end()

    async def aclose(self) -> None:
        await _aclose(self._answer)


async def _aclose(answer: httpcore.Response) -> None:
    with hidden_frames():
        await answer.aclose()
