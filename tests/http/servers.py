"""Turns a behaviour into a server on loopback that shows it: real sockets and real TLS, one thread per connection.

with Server(answer(b"hello"), tls=Authority().server("api.example.test")) as server:
    server.network  # routes every host name there and trusts the authority
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Protocol, Self

import trustme

from connform.http.net.tls_socket import TLSSocket
from connform.http.settings import Network

HOST = "api.example.test"
"""The host whose certificate the servers have; it is in no DNS (RFC 6761 §6.2)."""
PATIENCE_S = 30.0


class Behaviour(Protocol):
    """What a server does with one connection; the connection is closed when it returns."""

    def __call__(self, connection: Connection) -> object: ...


class Connection:
    """One connection as a behaviour sees it."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self._received = bytearray()

    def read_request(self) -> bytes:
        """Return a whole request, head and body, and note it in `server.requests`; empty at the end."""
        while b"\r\n\r\n" not in self._received:
            if not self._receive():
                return b""
        end = self._received.index(b"\r\n\r\n") + 4
        for line in bytes(self._received[:end]).lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                end += int(line.partition(b":")[2])
        while len(self._received) < end and self._receive():
            pass
        request = bytes(self._received[:end])
        del self._received[:end]
        self.server.requests.append(request)
        return request

    def send(self, data: bytes | memoryview) -> None:
        """Send all."""
        self.sock.sendall(data)

    def pause(self, seconds: float = PATIENCE_S) -> bool:
        """Wait, but not for longer than the server lives; return whether it still does."""
        return not self.server.stopping.wait(seconds)

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on with TLS."""
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def reset(self) -> None:
        """Cut the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive(self) -> bool:
        data = self.sock.recv(65536)
        self._received += data
        return bool(data)


class Server:
    """A server on loopback, from `__enter__` to `__exit__`."""

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        ca_pem: bytes | None = None,
        backlog: int = 128,
    ) -> None:
        self.behaviour = behaviour
        self.tls = tls
        self.ca_pem = ca_pem
        self.requests: list[bytes] = []
        """Every request, head and body."""
        self.connections = 0
        """How many connections were accepted."""
        self.stopping = threading.Event()
        self._backlog = backlog
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=self._backlog)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes up accept()
        self._listener.close()
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    @property
    def network(self) -> Network:
        """The way from every host name to this server."""
        return Network(route=lambda _host, _port: ("127.0.0.1", self.port), ca_pem=self.ca_pem)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:  # the listener is closed; or one client's connection was, and others follow
                continue
            self.connections += 1
            self._open.add(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        connection = Connection(self, sock)
        with suppress(OSError, ValueError):
            try:
                if self.tls is not None:
                    connection.secure(self.tls)
                self.behaviour(connection)
            finally:
                self._open.discard(sock)
                connection.sock.close()
                sock.close()


class Authority:
    """A certificate authority of its own, and server contexts with its certificates."""

    def __init__(self, name: str = "connform tests") -> None:
        self._ca = trustme.CA(organization_name=name)

    @cached_property
    def pem(self) -> bytes:
        """Its certificate."""
        return self._ca.cert_pem.bytes()

    def server(
        self, *hosts: str, starts_in: timedelta | None = None, ends_in: timedelta | None = None
    ) -> ssl.SSLContext:
        """Return the context of a server with a certificate for `hosts`, valid from and until some time from now."""
        now = datetime.now(UTC)
        certificate = self._ca.issue_cert(
            *(hosts or (HOST,)),
            not_before=now + (starts_in or timedelta(days=-30)),
            not_after=now + (ends_in or timedelta(days=90)),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = TLSSocket  # who gives up leaves no socket open for a later test to trip over
        certificate.configure_cert(context)
        return context

    def server_pem(self, host: str) -> bytes:
        """Return the PEM of a server's key and certificate, for servers of others."""
        return self._ca.issue_cert(host).private_key_and_cert_chain_pem.bytes()

    def client_certificate(self, ends_in: timedelta = timedelta(days=90)) -> bytes:
        """Return the PEM of a client's key and certificate, valid until some time from now."""
        ends_at = datetime.now(UTC) + ends_in
        certificate = self._ca.issue_cert(
            "client@example.test", not_before=ends_at - timedelta(days=120), not_after=ends_at
        )
        return certificate.private_key_and_cert_chain_pem.bytes()

    def trust(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Let a server demand client certificates of this authority."""
        self._ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def only_tls_1_1(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a server speak nothing newer than TLS 1.1."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


# Behaviours below TLS


def silent(connection: Connection) -> None:
    """Say nothing and read nothing."""
    connection.pause()


def banner(text: bytes) -> Behaviour:
    """Greet like SSH or SMTP."""

    def behave(connection: Connection) -> None:
        connection.send(text)
        connection.sock.recv(4096)
        connection.pause(0.2)

    return behave


def plain_http(connection: Connection) -> None:
    """Take the TLS handshake for HTTP, as nginx does on a port without `ssl`."""
    connection.sock.recv(4096)
    connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def reset_in_handshake(connection: Connection) -> None:
    """Cut the connection after the client's first words."""
    connection.sock.recv(10)
    connection.reset()


def close_in_handshake(connection: Connection) -> None:
    """Close the connection after the client's first words."""
    connection.sock.recv(4096)


# Behaviours above it


def head(status: int = 200, headers: Iterable[str] = ()) -> bytes:
    """Return a response's head."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode("latin-1")


def answer(body: bytes = b"{}", *headers: str, status: int = 200) -> Behaviour:
    """Answer every request of a connection alike."""
    whole = head(status, [f"Content-Length: {len(body)}", *headers]) + body

    def behave(connection: Connection) -> None:
        while connection.read_request():
            connection.send(whole)

    return behave


def raw(*parts: bytes, pause_s: float = 0.0, then: Behaviour | None = None) -> Behaviour:
    """Answer one request with these bytes, whatever they are, with pauses in between."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        for part in parts:
            connection.send(part)
            if pause_s and not connection.pause(pause_s):
                return
        if then is not None:
            then(connection)

    return behave


def drip(start: bytes, pause_s: float = 0.1) -> Behaviour:
    """Send a response that never ends, one byte at a time: slow-loris."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(start)
        while connection.pause(pause_s):
            connection.send(b"a")

    return behave


def endless(start: bytes, piece: bytes) -> Behaviour:
    """Send a response that never ends, as fast as possible."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(start)
        while connection.pause(0):
            connection.send(piece)

    return behave


def gzip_of_zeros(megabytes: int) -> bytes:
    """Return so many megabytes of zeros in the coding gzip, without its end; each but the first is a copy of the second."""
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    first, second = (compressor.compress(bytes(1_000_000)) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + second * (megabytes - 1)


def redirect(location: str, status: int = 302) -> Behaviour:
    """Redirect every request whose path isn't `/there`."""

    def behave(connection: Connection) -> None:
        while request := connection.read_request():
            if request.split(b" ")[1] == b"/there":
                connection.send(head(200, ["Content-Length: 5"]) + b"there")
            else:
                connection.send(head(status, [f"Location: {location}", "Content-Length: 0"]))

    return behave


def reset(connection: Connection) -> None:
    """Cut the connection."""
    connection.reset()
