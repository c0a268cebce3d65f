"""Turns a host and port into a connection, blocking: look-up, TCP, TLS, each with its own fault.

Layer 1, uses the network. `dial_async` is the same for event loops; `line` is what both share.
"""

from __future__ import annotations

import socket
import ssl
from time import monotonic
from typing import TYPE_CHECKING

import httpcore

from connform.faults import Stage
from connform.http import deadline, handshake, tls
from connform.http.line import Attempts, Line, Peer, connection_info
from connform.http.resolver import Endpoint, look_up
from connform.http.tunnel import Records, SyncTunnel

if TYPE_CHECKING:
    from collections.abc import Iterable


class SyncDialer(httpcore.NetworkBackend):
    """httpcore's way to the network."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (httpcore's signature; never set here)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        started_at = monotonic()
        endpoints = self._line.known_endpoints(host, port) or look_up(host, port, timeout)
        self._line.report_lookup(started_at, endpoints)
        started_at = monotonic()
        attempts = Attempts(host, endpoints, timeout)
        for endpoint, allowed_s in attempts:
            try:
                sock = _connect(endpoint, allowed_s)
            except OSError as error:
                attempts.failed(endpoint, error)
            else:
                self._line.report(Stage.TCP, started_at, {"address": str(endpoint)})
                return SyncStream(sock, self._line, Peer(host, endpoint, self._line.proxied))
        raise attempts.failure()


class SyncStream(httpcore.NetworkStream):
    """One connection, before and after its TLS handshake."""

    def __init__(self, sock: socket.socket, line: Line, peer: Peer) -> None:
        self._sock = sock
        self._line = line
        self._peer = peer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._sock.settimeout(deadline.allow(timeout))
            received = self._sock.recv(max_bytes)
        except OSError as error:
            raise self._peer.failure(error) from None
        if not received and self._peer.is_proxy:
            raise self._peer.failure(ConnectionResetError())
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                self._sock.settimeout(deadline.allow(timeout))
                rest = rest[self._sock.send(rest) :]
        except TimeoutError as error:
            raise self._peer.failure(error) from None
        except OSError:  # httpcore goes on to read: the server may have said why before it cut the connection
            raise httpcore.WriteError from None

    def close(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> object:
        return connection_info(self._sock, info)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        started_at = monotonic()
        host = server_hostname or self._peer.host
        to_proxy = self._peer.is_proxy and self._line.proxy_speaks_tls and not isinstance(self._sock, ssl.SSLSocket)
        tunnelled = self._peer.is_proxy and not to_proxy
        self._peer = Peer(host, self._peer.endpoint, to_proxy)
        if isinstance(self._sock, ssl.SSLSocket):
            tunnel = SyncTunnel(self, Records(ssl_context, host))
            tunnel.handshake(timeout)
            self._line.report_tls(started_at, tunnel.records.object)
            return tunnel
        try:
            self._sock.settimeout(deadline.allow(timeout))
            self._sock = ssl_context.wrap_socket(self._sock, server_hostname=host)
        except (OSError, ValueError) as error:
            self.close()
            seen = handshake.doubts_certificate(error) and not tunnelled
            raise handshake.failure(error, host, self._refused_certificate(timeout) if seen else None) from None
        if not to_proxy:
            self._line.report_tls(started_at, self._sock)
        return self

    def _refused_certificate(self, timeout: float | None) -> bytes | None:
        """Return the certificate in question, from one more handshake after which nothing is said."""
        try:
            sock = _connect(self._peer.endpoint, deadline.allow(timeout))
            with sock, tls.unverified().wrap_socket(sock, server_hostname=self._peer.host) as secured:
                return secured.getpeercert(binary_form=True)
        except (OSError, ValueError):
            return None


def _connect(endpoint: Endpoint, timeout_s: float | None) -> socket.socket:
    sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(endpoint.address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock
