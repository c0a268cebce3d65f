"""TLS server of the simulator on a loopback port.

Layer 2; IO: loopback. One thread accepts connections; each connection has a thread of its own.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from threading import Event, Thread

from connform.simulator.certificates import Certificates
from connform.simulator.handler import Handler
from connform.simulator.messages import Reply, Request, SeenRequest

_BACKLOG = 1024
_RETRY_PAUSE_S = 0.01


class TlsServer:
    """A listening socket and the threads that serve its connections."""

    def __init__(self, port: int, answer: Callable[[Request], Reply], record: Callable[[SeenRequest], None]) -> None:
        self.certificates = Certificates()
        """The CA and the certificates that it issued."""
        self.answer = answer
        """Returns the reply to a request."""
        self.record = record
        """Is called with every request, before its reply is sent."""
        self._context = self.certificates.listening_context()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self.address: tuple[str, int] = self._listener.getsockname()
        """The IP address and port on which it listens."""
        self._closing = Event()
        self._connections: dict[ssl.SSLSocket, Thread] = {}
        self._accept_thread = Thread(target=self._accept, name="connform-simulator", daemon=True)
        self._accept_thread.start()

    def close(self) -> None:
        """End every connection, join every thread, release the port."""
        self._closing.set()
        with contextlib.suppress(OSError):  # wakes `accept`
            socket.create_connection(self.address).close()
        self._accept_thread.join()
        self._listener.close()
        for connection, thread in list(self._connections.items()):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TCP only: the thread closes the TLS socket
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
                connection = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            except OSError:  # the client has disconnected, or this process has no file descriptor left
                self._closing.wait(_RETRY_PAUSE_S)
                continue
            thread = Thread(target=self._serve, args=(connection,), name="connform-simulator", daemon=True)
            self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError), connection:  # the client doesn't trust the CA, or has disconnected
            connection.do_handshake()
            Handler(connection, self.address, self)
        del self._connections[connection]
