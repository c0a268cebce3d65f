"""An HTTP proxy on loopback for tests: it opens tunnels (RFC 9110 §9.3.6), and logs which.

Layer 5; listens on loopback, and connects to what it is asked for.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

_PATIENCE_S = 30.0
_CHUNK_BYTES = 65536


class LoggingProxy(ThreadingTCPServer):
    """A running proxy, from `logging_proxy`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.targets: list[str] = []
        """`host:port` of each tunnel that was asked for, in their order."""
        self.credentials: list[str] = []
        """The value of each header Proxy-Authorization, in their order; empty where there was none."""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client or a target that has gone."""


class _Tunnel(StreamRequestHandler):
    server: LoggingProxy
    timeout = _PATIENCE_S

    def handle(self) -> None:
        """Answer one CONNECT, and copy bytes in both directions until both sides have ended."""
        _, target, _ = self.rfile.readline().decode("ascii").split()
        credentials = ""
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            credentials = value.strip() if name.lower() == "proxy-authorization" else credentials
        self.server.targets.append(target)
        self.server.credentials.append(credentials)
        host, _, port = target.rpartition(":")
        try:
            onward = socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S)
        except OSError:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        with onward:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_copy, args=(onward, self.connection), daemon=True)
            back.start()
            _copy(self.connection, onward)
            back.join(_PATIENCE_S)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def logging_proxy() -> Iterator[LoggingProxy]:
    """Start a proxy, and end it."""
    with LoggingProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
