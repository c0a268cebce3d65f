"""The httpx transport of `async_client`, pinned to one origin, with a total deadline and a body limit.

Layer 1, uses the network through an httpcore pool, whose network backend is `net.backend`. Requests and buffers below
hold the credential in clear, so exceptions leave here without the frames of httpcore.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpcore
import httpx

from connform.http import log_filter, query
from connform.http.credential import HeaderLines
from connform.http.exchange import Close, Renew, SendRequest, Wait
from connform.http.failures import HTTPCORE_ERRORS, RequestFailed, translate
from connform.http.net import deadline
from connform.http.net.backend import AsyncDialer
from connform.http.net.steps import run_async
from connform.http.renewal import CredentialRenewal
from connform.http.settings import ClientSettings, Observer
from connform.http.transport_base import AnswerStream, MendedPool, PinnedBase, was_cut
from connform.process_local import ProcessLocal
from connform.tracebacks import hidden_frames


class _AsyncPool(MendedPool, httpcore.AsyncConnectionPool):
    async def close_unused(self, *, idle: bool) -> None:
        """Close the connections that no request uses; idle ones too if `idle`."""
        await self._close_connections(self.take_unused(idle=idle))


class _AsyncBody(AnswerStream, httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._answer.aiter_stream()
        while True:
            with deadline.until(self._ends_at), hidden_frames():
                try:
                    chunk = await anext(chunks, None)
                except HTTPCORE_ERRORS as error:
                    raise translate(error, self._host) from None
            if chunk is None:
                break
            for piece in self._body.feed(chunk):
                yield piece
        self._body.end()
        if self._log:
            self._log.received(self._body.received_bytes)

    async def aclose(self) -> None:
        await _aclose(self._answer)


class AsyncPinnedTransport(PinnedBase, httpx.AsyncBaseTransport):
    """The transport of `async_client`."""

    _stream_class = _AsyncBody

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pools = ProcessLocal(
            lambda: _AsyncPool(network_backend=AsyncDialer(self._dial_context), **self._pool_arguments)
        )
        self._renewing = ProcessLocal(anyio.Lock)

    @property
    def _pool(self) -> _AsyncPool:
        """The pool of this process; a forked child has one of its own."""
        return self._pools.own

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        ends_at = deadline.end_of(self._settings.total_s)
        with deadline.until(ends_at):
            return await run_async(self._steps(request, ends_at), partial(self._perform, request))

    async def _perform(self, request: httpx.Request, step: Renew | SendRequest | Close | Wait) -> Any:
        match step:
            case SendRequest():
                return await self._send(step, request)
            case Close():
                return await _aclose(step.answer)
            case Wait():
                return await anyio.sleep(step.seconds)
            case Renew():
                return await self._renew(step)

    async def _send(self, step: SendRequest, request: httpx.Request) -> httpcore.Response | RequestFailed:
        try:
            with hidden_frames(request.stream):
                try:
                    wire_request = self._wire_request(request, step)
                    if not step.credential.parameters:  # the usual case
                        return await self._pool.handle_async_request(wire_request)
                    with log_filter.hidden_answer():
                        return query.without_echo(await self._pool.handle_async_request(wire_request), step.credential)
                except HTTPCORE_ERRORS as error:
                    raise translate(error, self._host) from None
        except BaseException as failure:
            await self._pool.close_unused(idle=was_cut(failure))
            if self._is_closed or not isinstance(failure, RequestFailed):
                raise
            return failure

    async def _renew(self, step: Renew) -> HeaderLines:
        """Renew in a thread. Other renewals of this client wait for it without a thread."""
        async with self._renewing.own:
            return await CredentialRenewal(step.credential, step.refused).wait()

    async def aclose(self) -> None:
        self._is_closed = True
        with hidden_frames():
            await self._pool.aclose()


async def _aclose(answer: httpcore.Response) -> None:
    with hidden_frames():
        await answer.aclose()
