"""uvicorn's HTTP/1.1 protocol with limits: of a request's time and size, of an answer's time, and of connections. Layer 4; IO: sockets."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_BYTES = 16 * 1024
"""The size of a request's line and headers."""
MAX_CONNECTIONS = 200
IDLE_S = 30
"""How long a connection may be idle after an answer: longer than the usual 15 s between two scrapes of Prometheus."""
_HEAD_S = 10.0
"""How long the head of a request may take, from the connection or its first byte on."""
_ANSWER_S = 60.0
"""How long an answer may take until the client has read it."""


class BoundedConnection(H11Protocol):
    """A connection of a client that can't be held open by saying or reading nothing."""

    _timer: asyncio.TimerHandle | None = None
    _is_idle = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio's own signature is wider
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
        else:
            self._end_in(_HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_idle:
            self._is_idle = False
            self._end_in(_HEAD_S)
        super().data_received(data)

    def handle_events(self) -> None:
        former = self.cycle
        super().handle_events()
        if self.cycle is not former:  # a request has begun
            self._end_in(_ANSWER_S)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._is_idle = True
        if not self.transport.get_write_buffer_size():  # else the client still has to read the answer
            self._end_in(IDLE_S)

    def _end_in(self, limit_s: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(limit_s, self.transport.abort)
