"""Blocking network backend for httpcore: DNS look-up, TCP, proxy tunnel, TLS; each failure has a fault.

Layer 1, uses the network. `dial_async` is the same for event loops; `dialing` has the code that both share.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import partial
from time import monotonic
from typing import Any

import httpcore

from connform.faults import Stage
from connform.http.failures import RequestFailed
from connform.http.net import deadline, handshake, tls
from connform.http.net.descriptors import close_in_child
from connform.http.net.dialing import (
    RECORD_BYTES,
    Attempts,
    DialContext,
    connection_info,
    exchange_failure,
    require_own_process,
)
from connform.http.net.resolver import Endpoint, look_up
from connform.http.net.tunnel import SyncTunnel, TLSRecords


class SyncDialer(httpcore.NetworkBackend):
    """The network backend of httpcore's connection pools."""

    def __init__(self, dial_context: DialContext) -> None:
        self._dial_context = dial_context

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (httpcore's signature; never set here)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  (httpcore's signature)
    ) -> httpcore.NetworkStream:
        proxy = self._dial_context.proxy
        if proxy is None:
            return self._dial(host, port, timeout)
        stream = self._dial(proxy.host, proxy.port, timeout)
        try:
            if proxy.context is not None:
                stream.secure(proxy.context.current, proxy.host, timeout)
            with proxy.opening_tunnel(host) as answer:
                stream.write(proxy.request(host, port), timeout)
                while not answer.feed(stream.read(RECORD_BYTES, timeout)):
                    pass
        except BaseException:
            stream.close()
            raise
        stream.redial = partial(SyncDialer(self._dial_context.unobserved()).connect_tcp, host, port, timeout)
        return stream

    def _dial(self, host: str, port: int, timeout: float | None) -> SyncStream:
        started_at = monotonic()
        endpoints = self._dial_context.known_endpoints(host, port)
        if not endpoints:
            endpoints = look_up(host, port, timeout)
            self._dial_context.report_lookup(started_at, endpoints)
        started_at = monotonic()
        attempts = Attempts(host, endpoints, timeout)
        for endpoint, allowed_s in attempts:
            try:
                sock = _connect(endpoint, allowed_s)
            except OSError as error:
                attempts.add_failure(endpoint, error)
            else:
                self._dial_context.report(Stage.TCP, started_at, {"address": str(endpoint)})
                stream = SyncStream(sock, self._dial_context, host)
                stream.redial = partial(self._dial_again, host, endpoint, timeout)
                return stream
        raise attempts.failure()

    def _dial_again(self, host: str, endpoint: Endpoint, timeout: float | None) -> SyncStream:
        return SyncStream(_connect(endpoint, deadline.allow(timeout)), self._dial_context.unobserved(), host)


class SyncStream(httpcore.NetworkStream):
    """A TCP connection; with TLS after `start_tls` or `secure`."""

    def __init__(self, sock: socket.socket, dial_context: DialContext, host: str) -> None:
        self._sock = sock
        self._dial_context = dial_context
        self._host = host
        self._opened_by = os.getpid()
        self.redial: Callable[[], httpcore.NetworkStream] | None = None
        """Opens another connection to the same server, which no observer sees."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        require_own_process(self._opened_by, self._host)
        try:
            self._sock.settimeout(deadline.allow(timeout))
            return self._sock.recv(max_bytes)
        except OSError as error:
            raise exchange_failure(error, self._host) from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        require_own_process(self._opened_by, self._host)
        rest = memoryview(buffer)
        try:
            while rest:
                self._sock.settimeout(deadline.allow(timeout))
                rest = rest[self._sock.send(rest) :]
        except TimeoutError as error:
            raise exchange_failure(error, self._host) from None
        except OSError:  # httpcore then reads: the server may have answered before it cut the connection
            raise httpcore.WriteError from None

    def close(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        return connection_info(self._sock, info)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        started_at = monotonic()
        stream = self.secure(ssl_context, server_hostname or self._host, timeout)
        self._dial_context.report_tls(started_at, stream.get_extra_info("ssl_object"))
        return stream

    def secure(self, context: ssl.SSLContext, host: str, timeout: float | None) -> httpcore.NetworkStream:
        """Return a stream with TLS over this one."""
        self._host = host
        try:
            if isinstance(self._sock, ssl.SSLSocket):
                tunnel = SyncTunnel(self, TLSRecords(context, host))
                tunnel.handshake(timeout)
                return tunnel
            self._sock.settimeout(deadline.allow(timeout))
            self._sock = _secure(self._sock, context, host)
        except (OSError, ValueError) as error:
            self.close()
            certificate = self._refused_certificate(host, timeout) if handshake.needs_certificate(error) else None
            raise handshake.failure(error, host, certificate) from None
        except BaseException:
            self.close()
            raise
        return self

    def _refused_certificate(self, host: str, timeout: float | None) -> bytes | None:
        """Return the refused certificate (DER), from a second handshake without verification and without a request."""
        if self.redial is None:
            return None
        try:
            with closing(self.redial()) as stream:
                secured = stream.start_tls(tls.unverified_context(), host, timeout)
                der: bytes | None = secured.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return der
        except (OSError, RequestFailed):
            return None


def _connect(endpoint: Endpoint, timeout_s: float | None) -> socket.socket:
    sock = close_in_child(socket.socket(endpoint.family, socket.SOCK_STREAM))
    try:
        sock.settimeout(timeout_s)
        with suppress(ConnectionResetError):  # the server accepted and cut the connection: the next stage fails
            sock.connect(endpoint.address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _secure(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """Return `sock` with TLS; if the handshake fails, it is closed."""
    secured = close_in_child(context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False))
    try:
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured
