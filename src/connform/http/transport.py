"""The httpx transport of `sync_client`, pinned to one origin, with a total deadline and a body limit.

Layer 1, uses the network through an httpcore pool, whose network backend is `dial`. Requests and buffers below hold the
credential in clear, so exceptions leave here without the frames of httpcore.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from threading import Lock
from typing import Any

import httpcore
import httpx

from connform.http.body import Body
from connform.http.exchange import Renew, SendRequest, Wait
from connform.http.failures import RequestFailed, translated_errors
from connform.http.net import deadline
from connform.http.net.dial import SyncDialer
from connform.http.net.tls import RenewedContext
from connform.http.settings import ClientSettings, Observer
from connform.http.transport_base import LOST_CONNECTION, PinnedBase, take_idle, take_lost
from connform.process_local import ProcessLocal
from connform.tracebacks import hidden_frames


class _Pool(httpcore.ConnectionPool):
    """httpcore's pool with a lock for each process, so that a forked child can close the answers that it inherited.

    It is a `threading.Lock`: httpcore's own lock class stays locked where a signal handler raises in its `__enter__`.
    """

    def __init__(self, *, context: RenewedContext | None, **arguments: Any) -> None:
        self._locks = ProcessLocal(Lock)
        self._context = context
        super().__init__(**arguments)

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        self._ssl_context = self._context.current if self._context else None
        return super().create_connection(origin)

    def _lock(self) -> Lock:
        return self._locks.own

    def _ignore_lock(self, _: object) -> None:
        """Ignore the lock that httpcore sets."""

    _optional_thread_lock = property(_lock, _ignore_lock)

    def _assign_requests_to_connections(self) -> list[httpcore.ConnectionInterface]:
        return take_lost(self) + super()._assign_requests_to_connections()

    def close_idle(self) -> None:
        """Close the connections that no request uses."""
        with self._locks.own:
            idle = take_idle(self)
        for connection in idle:
            connection.close()


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
            if failure.fault.name == LOST_CONNECTION:
                self._pools.own.close_idle()
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
