"""The connection race of RFC 8305: a host's addresses are tried side by side, and the first that answers is used.

Layer 1, opens sockets. An address that failed or was overtaken is tried after the others of its host for a minute.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from contextlib import suppress
from itertools import zip_longest
from math import inf
from time import monotonic

from connform.http import failures
from connform.http.net import deadline
from connform.http.net.descriptors import close_in_child, hint_for
from connform.http.net.resolver import Endpoint
from connform.http.net.steps import Ready, Steps

_DELAY_S = 0.25
"""How long an address may be silent before the next one is tried as well, RFC 8305 §8."""
_SHORTEST_DELAY_S = 0.1
"""The same where the time-out would otherwise end before every address was tried."""
_AVOIDED_S = 60.0
"""How long an address is tried after the others of its host."""
_MAX_AVOIDED = 256
"""How many such addresses are remembered."""
_AVOIDED_SINCE: dict[Endpoint, float] = {}
"""When an address failed or was overtaken, on the monotonic clock; of all clients of the process."""


def connect(host: str, endpoints: list[Endpoint], timeout_s: float | None) -> Steps[tuple[socket.socket, Endpoint]]:
    """Return a connected socket, which doesn't block, and its address.

    Raises:
        RequestFailed: `tcp_timeout`, `tcp_refused` or `tcp_unreachable`; `dns_no_such_host` for a host without any address.
    """
    race = _Race(endpoints)
    ends_at, next_at = deadline.end_of(inf if timeout_s is None else timeout_s), 0.0
    delay_s = min(_DELAY_S, max(_SHORTEST_DELAY_S, (ends_at - monotonic()) / (len(endpoints) or 1)))
    try:
        while (race.waiting or race.running) and (now := monotonic()) < ends_at:
            if race.waiting and now >= next_at:
                if not race.begin_next():
                    continue
                next_at = now + delay_s
            wakes_at = min(next_at, ends_at) if race.waiting else ends_at
            for sock in (yield Ready([*race.running], wakes_at, for_writing=True)):
                if endpoint := race.won_by(sock):
                    return sock, endpoint
                next_at = 0.0
    finally:
        for sock in race.running:
            sock.close()
    raise race.failure(host)


class _Race:
    """The attempts to connect to a host's addresses."""

    def __init__(self, endpoints: list[Endpoint]) -> None:
        self.waiting = deque(_in_order(endpoints))
        """Addresses that were not tried yet."""
        self.running: dict[socket.socket, Endpoint] = {}
        """Sockets that are being connected, in the order in which they began."""
        self._errors: list[tuple[Endpoint, OSError]] = []

    def begin_next(self) -> bool:
        """Begin to connect to the next address; return whether that did not fail at once."""
        endpoint = self.waiting.popleft()
        try:
            self.running[_begin(endpoint)] = endpoint
        except OSError as error:
            self._add_failure(endpoint, error)
            return False
        return True

    def won_by(self, sock: socket.socket) -> Endpoint | None:
        """Return the address of a socket that is ready; `None` where it failed."""
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code in {0, errno.ECONNRESET}:  # the server accepted and cut the connection: the next stage fails
            for other, endpoint in self.running.items():
                if other is sock:
                    break
                _avoid(endpoint)
            return self.running.pop(sock)
        sock.close()
        self._add_failure(self.running.pop(sock), OSError(code, os.strerror(code)))  # a ConnectionRefusedError, …
        return None

    def _add_failure(self, endpoint: Endpoint, error: OSError) -> None:
        _avoid(endpoint)
        self._errors.append((endpoint, error))

    def failure(self, host: str) -> failures.RequestFailed:
        """Return one failure for all addresses: a time-out, else a refused connection, else the first error."""
        for endpoint in self.running.values():
            _avoid(endpoint)
        errors = [(endpoint, TimeoutError()) for endpoint in (*self.running.values(), *self.waiting)] + self._errors
        for endpoint, error in errors:
            if isinstance(error, TimeoutError):
                return failures.RequestTimedOut("tcp_timeout", f"{host} ({endpoint}) did not answer in time")
        for endpoint, error in errors:
            if isinstance(error, ConnectionRefusedError):
                return failures.RequestFailed("tcp_refused", f"{host} ({endpoint}) refused the connection")
        for endpoint, error in errors:
            message = f"{host} ({endpoint}) can't be reached: {error.strerror or error}"
            return failures.RequestFailed("tcp_unreachable", message, hint_for(error))
        return failures.RequestFailed("dns_no_such_host", f"{host} has no address")


def _in_order(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Return the addresses with their families in turn (RFC 8305 §4), and those to avoid last."""
    if len(endpoints) == 1:
        return endpoints
    families = [
        [one for one in endpoints if one.family == family] for family in {one.family: None for one in endpoints}
    ]
    interlaced = [endpoint for row in zip_longest(*families) for endpoint in row if endpoint]
    return sorted(interlaced, key=lambda endpoint: monotonic() - _AVOIDED_SINCE.get(endpoint, -inf) < _AVOIDED_S)


def _avoid(endpoint: Endpoint) -> None:
    if len(_AVOIDED_SINCE) >= _MAX_AVOIDED:
        _AVOIDED_SINCE.clear()
    _AVOIDED_SINCE[endpoint] = monotonic()


def _begin(endpoint: Endpoint) -> socket.socket:
    sock = close_in_child(socket.socket(endpoint.family, socket.SOCK_STREAM))
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BlockingIOError, ConnectionResetError):
            sock.connect(endpoint.address)
    except BaseException:
        sock.close()
        raise
    return sock
