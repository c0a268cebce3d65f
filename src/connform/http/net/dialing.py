"""State shared by sync and async dialing: addresses left, reporting, mapping errors to faults.

Layer 1, reads the clock, no IO.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from time import monotonic

from connform.faults import Stage
from connform.http.failures import RequestFailed, RequestTimedOut
from connform.http.net import deadline, handshake
from connform.http.net.proxy import Proxy
from connform.http.net.resolver import Endpoint, endpoints_without_lookup
from connform.http.settings import Network, Observer


@dataclass(frozen=True, slots=True)
class DialContext:
    """Settings that all connections of one client share."""

    network: Network
    """The address that is dialed for a host."""
    observer: Observer | None = None
    """Gets a report of each stage that succeeds."""
    proxy: Proxy | None = None
    """The proxy that is dialed instead of the host, and asked for a tunnel."""

    def known_endpoints(self, host: str, port: int) -> list[Endpoint]:
        """Return the endpoints that need no look-up (routed address, IP address, `localhost`); else an empty list."""
        if self.network.route is not None:
            return endpoints_without_lookup(*self.network.route(host, port))
        return endpoints_without_lookup(host, port)

    def unobserved(self) -> DialContext:
        """Return a copy without an observer, for a connection that is not part of the exchange."""
        return replace(self, observer=None)

    def report(self, stage: Stage, started_at: float, facts: Mapping[str, object]) -> None:
        """Report to the observer, if there is one, that a stage succeeded."""
        if self.observer is not None:
            self.observer.stage(stage, monotonic() - started_at, facts)

    def report_lookup(self, started_at: float, endpoints: list[Endpoint]) -> None:
        """Report to the observer which addresses a host has."""
        self.report(Stage.DNS, started_at, {"addresses": [endpoint.address[0] for endpoint in endpoints]})

    def report_tls(self, started_at: float, connection: ssl.SSLSocket | ssl.SSLObject) -> None:
        """Report to the observer the facts of a TLS connection."""
        if self.observer is not None:  # the facts are computed only if needed: reading a certificate is slow
            self.report(Stage.TLS, started_at, handshake.facts(connection))


def require_own_process(opened_by: int, host: str) -> None:
    """Make sure that this process opened the connection.

    A forked child would read its parent's answers, or send into its parent's requests.

    Raises:
        RequestFailed: `http_bad_reply`, another process opened it.
    """
    if opened_by != os.getpid():
        message = f"the connection to {host} belongs to the process that this one was forked from"
        raise RequestFailed("http_bad_reply", message, "send the request in the process that reads its answer")


def exchange_failure(error: OSError, host: str) -> RequestFailed:
    """Return the failure for an error of the socket during an HTTP exchange with `host`."""
    if isinstance(error, TimeoutError):
        if deadline.is_spent():
            return RequestTimedOut("http_deadline", f"the exchange with {host} took longer than its total time-out")
        return RequestTimedOut("http_timeout", f"{host} was silent for too long")
    if isinstance(error, ssl.SSLError) and (alert := handshake.alert_failure(error, host)):
        return alert
    return RequestFailed("http_bad_reply", f"{host} cut the connection before its answer was complete")


_AVOIDED_S = 60.0
"""How long an address that failed is tried after the others of its host."""
_MAX_FAILED = 256
"""How many such addresses are remembered."""
_FAILED_AT: dict[Endpoint, float] = {}
"""When an address failed, on the monotonic clock; of all clients of the process."""


def _has_failed(endpoint: Endpoint) -> bool:
    return monotonic() - _FAILED_AT.get(endpoint, -inf) < _AVOIDED_S


class Attempts:
    """The addresses of a host, to be tried in turn within one time-out; each gets an equal share of the time left.

    Those that failed lately come last: a host with an IPv6 address that leads nowhere costs time once, not at each connection.
    """

    def __init__(self, host: str, endpoints: list[Endpoint], timeout_s: float | None) -> None:
        self._host = host
        self._endpoints = sorted(endpoints, key=_has_failed)
        self._timeout_s = timeout_s
        self._errors: list[tuple[Endpoint, OSError]] = []

    def __iter__(self) -> Iterator[tuple[Endpoint, float | None]]:
        ends_at = None if self._timeout_s is None else monotonic() + self._timeout_s
        for position, endpoint in enumerate(self._endpoints):
            try:
                allowed_s = deadline.allow(None if ends_at is None else ends_at - monotonic())
            except TimeoutError as error:
                self.add_failure(endpoint, error)
                return
            left = len(self._endpoints) - position
            yield endpoint, None if allowed_s is None else allowed_s / left

    def add_failure(self, endpoint: Endpoint, error: OSError) -> None:
        """Record the error of one address."""
        if len(_FAILED_AT) >= _MAX_FAILED:
            _FAILED_AT.clear()
        _FAILED_AT[endpoint] = monotonic()
        self._errors.append((endpoint, error))

    def failure(self) -> RequestFailed:
        """Return one failure for all errors: a time-out, else a refused connection, else the first error.

        A host without any address has the fault `dns_no_such_host`.
        """
        for endpoint, error in self._errors:
            if isinstance(error, TimeoutError):
                return RequestTimedOut("tcp_timeout", f"{self._host} ({endpoint}) did not answer in time")
        for endpoint, error in self._errors:
            if isinstance(error, ConnectionRefusedError):
                return RequestFailed("tcp_refused", f"{self._host} ({endpoint}) refused the connection")
        for endpoint, error in self._errors:
            return RequestFailed(
                "tcp_unreachable", f"{self._host} ({endpoint}) can't be reached: {error.strerror or error}"
            )
        return RequestFailed("dns_no_such_host", f"{self._host} has no address")


def connection_info(sock: socket.socket, info: str) -> object:
    """Return what httpcore asks for by `get_extra_info`."""
    match info:
        case "ssl_object":
            return sock if isinstance(sock, ssl.SSLSocket) else None
        case "client_addr":
            return sock.getsockname()
        case "server_addr":
            return sock.getpeername()
        case "socket":
            return sock
        case "is_readable":
            return _is_readable(sock)
    return None


def _is_readable(sock: socket.socket) -> bool:
    """Return whether an idle connection has data to read: then the server has ended it."""
    if sock.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


RECORD_BYTES = 16 * 1024
"""The largest TLS record, RFC 8446 §5.1."""
