"""State shared by sync and async dialing: addresses left, reporting, mapping errors to faults.

Layer 1, reads the clock, no IO.
"""

from __future__ import annotations

import os
import select
import ssl
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from connform.faults import Stage
from connform.http.failures import RequestFailed, RequestTimedOut
from connform.http.net import deadline, handshake
from connform.http.net.resolver import Endpoint, literal

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from connform.http.net.proxy import Proxy
    from connform.http.settings import Network, Observer


@dataclass(frozen=True, slots=True)
class DialContext:
    """What every connection of one client has in common."""

    network: Network
    """Where sockets really go."""
    observer: Observer | None = None
    """Who wants to know of each stage."""
    proxy: Proxy | None = None
    """Who is dialed instead, and asked for a tunnel."""

    def known_endpoints(self, host: str, port: int) -> list[Endpoint]:
        """Return what needs no look-up: a routed address, an IP address; else an empty list."""
        if self.network.route is not None:
            return literal(*self.network.route(host, port))
        return literal(host, port)

    def unobserved(self) -> DialContext:
        """Return the same line for what is not part of the exchange."""
        return replace(self, observer=None)

    def report(self, stage: Stage, started_at: float, facts: Mapping[str, object]) -> None:
        """Tell the observer, if there is one, that a stage ended well."""
        if self.observer is not None:
            self.observer.stage(stage, monotonic() - started_at, facts)

    def report_lookup(self, started_at: float, endpoints: list[Endpoint]) -> None:
        """Tell the observer which addresses a host has."""
        self.report(Stage.DNS, started_at, {"addresses": [endpoint.address[0] for endpoint in endpoints]})

    def report_tls(self, started_at: float, connection: ssl.SSLSocket | ssl.SSLObject) -> None:
        """Tell the observer what was agreed with the server."""
        if self.observer is not None:  # reading a certificate takes longer than the rest
            self.report(Stage.TLS, started_at, handshake.facts(connection))


def require_own(opened_by: int, host: str) -> None:
    """Make sure that this process opened a connection: a forked child would take its parent's answers, or send into its requests.

    Raises:
        RequestFailed: `http_bad_reply`, another process opened it.
    """
    if opened_by != os.getpid():
        message = f"the connection to {host} belongs to the process that this one was forked from"
        raise RequestFailed("http_bad_reply", message, "send the request in the process that reads its answer")


def failure(error: OSError, host: str) -> RequestFailed:
    """Return the fault that an error shows while HTTP is spoken with `host`."""
    if isinstance(error, TimeoutError):
        if deadline.is_spent():
            return RequestTimedOut("http_deadline", f"the exchange with {host} took longer than its total time-out")
        return RequestTimedOut("http_timeout", f"{host} was silent for too long")
    if isinstance(error, ssl.SSLError) and (alerted := handshake.alert(error, host)):
        return alerted
    return RequestFailed("http_bad_reply", f"{host} cut the connection before its answer was complete")


class Attempts:
    """The addresses of a host, one after the other within one time-out: each gets its share of what is left."""

    def __init__(self, host: str, endpoints: list[Endpoint], timeout_s: float | None) -> None:
        self._host = host
        self._endpoints = endpoints
        self._timeout_s = timeout_s
        self._errors: list[tuple[Endpoint, OSError]] = []

    def __iter__(self) -> Iterator[tuple[Endpoint, float | None]]:
        ends_at = None if self._timeout_s is None else monotonic() + self._timeout_s
        for position, endpoint in enumerate(self._endpoints):
            try:
                allowed_s = deadline.allow(None if ends_at is None else ends_at - monotonic())
            except TimeoutError as error:
                self.failed(endpoint, error)
                return
            left = len(self._endpoints) - position
            yield endpoint, None if allowed_s is None else allowed_s / left

    def failed(self, endpoint: Endpoint, error: OSError) -> None:
        """Note why an address could not be reached."""
        self._errors.append((endpoint, error))

    def failure(self) -> RequestFailed:
        """Return the fault that all the errors together show: what came nearest to a connection says most."""
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
    """Return what httpcore asks of a stream."""
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
    """Return whether an idle connection has something to say: that it ends."""
    if sock.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


RECORD_BYTES: Final = 16 * 1024
"""The largest TLS record, RFC 8446 §5.1."""
