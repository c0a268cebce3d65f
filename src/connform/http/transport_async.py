"""The httpx transport of `async_client`, pinned to one origin, with a total deadline and a body limit.

Layer 1, uses the network through an httpcore pool, whose network backend is `dial_async`. Requests and buffers below
hold the credential in clear, so exceptions leave here without the frames of httpcore.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any

import anyio
import anyio.to_thread
import httpcore
import httpx
from anyio.lowlevel import RunVar

from connform.http.body import Body
from connform.http.exchange import Renew, SendRequest, Wait
from connform.http.failures import RequestFailed, translated_errors
from connform.http.net import deadline
from connform.http.net.dial_async import AsyncDialer
from connform.http.net.tls import RenewedContext
from connform.http.settings import ClientSettings, HeaderLines, Observer
from connform.http.transport_base import LOST_CONNECTION, PinnedBase, take_idle, take_lost
from connform.process_local import ProcessLocal
from connform.tracebacks import hidden_frames

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


class _AsyncPool(httpcore.AsyncConnectionPool):
    def __init__(self, *, context: RenewedContext | None, **arguments: Any) -> None:
        self._context = context
        super().__init__(**arguments)

    def create_connection(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        self._ssl_context = self._context.current if self._context else None
        return super().create_connection(origin)

    def _assign_requests_to_connections(self) -> list[httpcore.AsyncConnectionInterface]:
        return take_lost(self) + super()._assign_requests_to_connections()

    async def close_idle(self) -> None:
        """Close the connections that no request uses."""
        with anyio.CancelScope(shield=True):
            for connection in take_idle(self):
                await connection.aclose()


class AsyncPinnedTransport(PinnedBase, httpx.AsyncBaseTransport):
    """The transport of `async_client`."""

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pools = ProcessLocal(
            lambda: _AsyncPool(network_backend=AsyncDialer(self._dial_context), **self._pool_arguments)
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
            if failure.fault.name == LOST_CONNECTION:
                await self._pools.own.close_idle()
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
