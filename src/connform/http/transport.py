"""The httpx transport of `sync_client`, pinned to one origin, with a total deadline and a body limit.

Layer 1, uses the network through an httpcore pool, whose network backend is `net.backend`. Requests and buffers below hold the
credential in clear, so exceptions leave here without the frames of httpcore.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from threading import Lock
from typing import Any

import httpcore
import httpx

from connform.http import log_filter, query
from connform.http.exchange import Close, Renew, SendRequest, Wait
from connform.http.failures import HTTPCORE_ERRORS, RequestFailed, translate
from connform.http.net import deadline
from connform.http.net.backend import SyncDialer
from connform.http.net.steps import run
from connform.http.settings import ClientSettings, Observer
from connform.http.transport_base import AnswerStream, MendedPool, PinnedBase, was_cut
from connform.process_local import ProcessLocal
from connform.tracebacks import hidden_frames


class _Pool(MendedPool, httpcore.ConnectionPool):
    """httpcore's pool with a lock for each process, so that a forked child can close the answers that it inherited.

    It is a `threading.Lock`: httpcore's own lock class stays locked where a signal handler raises in its `__enter__`.
    """

    def __init__(self, **arguments: Any) -> None:
        self._locks = ProcessLocal(Lock)
        super().__init__(**arguments)

    def _ignore_lock(self, _: object) -> None:
        """Ignore the lock that httpcore sets."""

    _optional_thread_lock = property(attrgetter("_locks.own"), _ignore_lock)

    def close_unused(self, *, idle: bool) -> None:
        """Close the connections that no request uses; idle ones too if `idle`."""
        with self._locks.own:
            unused = self.take_unused(idle=idle)
        self._close_connections(unused)


class _SyncBody(AnswerStream, httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        chunks = self._answer.iter_stream()
        while True:
            # never around a `yield`: the deadline would apply to the caller's code
            with deadline.until(self._ends_at), hidden_frames():
                try:
                    chunk = next(chunks, None)
                except HTTPCORE_ERRORS as error:
                    raise translate(error, self._host) from None
            if chunk is None:
                break
            yield from self._body.feed(chunk)
        self._body.end()
        if self._log:
            self._log.received(self._body.received_bytes)

    def close(self) -> None:
        _close(self._answer)


class PinnedTransport(PinnedBase, httpx.BaseTransport):
    """The transport of `sync_client`."""

    _stream_class = _SyncBody

    def __init__(self, settings: ClientSettings, observer: Observer | None = None) -> None:
        super().__init__(settings, observer)
        self._pools = ProcessLocal(
            lambda: _Pool(network_backend=SyncDialer(self._dial_context), **self._pool_arguments)
        )

    @property
    def _pool(self) -> _Pool:
        """The pool of this process; a forked child has one of its own."""
        return self._pools.own

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ends_at = deadline.end_of(self._settings.total_s)
        with deadline.until(ends_at):
            return run(self._steps(request, ends_at), partial(self._perform, request))

    def _perform(self, request: httpx.Request, step: Renew | SendRequest | Close | Wait) -> Any:
        match step:
            case SendRequest():
                return self._send(step, request)
            case Close():
                return _close(step.answer)
            case Wait():
                return time.sleep(step.seconds)
            case Renew():
                return step.credential.renew(step.refused)

    def _send(self, step: SendRequest, request: httpx.Request) -> httpcore.Response | RequestFailed:
        try:
            with hidden_frames(request.stream):
                try:
                    wire_request = self._wire_request(request, step)
                    if not step.credential.parameters:  # the usual case
                        return self._pool.handle_request(wire_request)
                    with log_filter.hidden_answer():
                        return query.without_echo(self._pool.handle_request(wire_request), step.credential)
                except HTTPCORE_ERRORS as error:
                    raise translate(error, self._host) from None
        except BaseException as failure:
            self._pool.close_unused(idle=was_cut(failure))
            if self._is_closed or not isinstance(failure, RequestFailed):
                raise
            return failure

    def close(self) -> None:
        self._is_closed = True
        with hidden_frames():
            self._pool.close()


def _close(answer: httpcore.Response) -> None:
    with hidden_frames():
        answer.close()
