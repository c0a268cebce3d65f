"""TLS server of the simulator on a loopback port: one thread serves all connections.

Layer 2; IO: loopback. A thread for each connection would take the interpreter's lock from the client in the same process at each change.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
import threading
from collections.abc import Callable
from math import inf
from threading import Thread
from time import monotonic, sleep

from connform.http.net.steps import Ready, Step, Steps
from connform.simulator.certificates import Certificates
from connform.simulator.handler import serve
from connform.simulator.messages import Reply, Request, SeenRequest

_BACKLOG = 1024
_RETRY_PAUSE_S = 0.01


class TlsServer:
    """A listening socket and the thread that serves its connections."""

    def __init__(self, port: int, answer: Callable[[Request], Reply], record: Callable[[SeenRequest], None]) -> None:
        self.certificates = Certificates()
        """The CA and the certificates that it issued."""
        self.answer = answer
        """Returns the reply to a request."""
        self.record = record
        """Is called with every request, before its reply is sent."""
        self._context = self.certificates.listening_context()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self._listener.settimeout(0)
        self.address: tuple[str, int] = self._listener.getsockname()
        """The IP address and port on which it listens."""
        self._is_closing = False
        self._connections: dict[socket.socket, Steps[None]] = {}
        self._ends: dict[socket.socket, float] = {}
        """When a connection goes on without having received anything, on the monotonic clock."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = Thread(target=self._run, name="connform-simulator", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection, join the thread, release the port."""
        self._is_closing = True
        with contextlib.suppress(OSError):  # wakes the thread
            socket.create_connection(self.address).close()
        self._thread.join()
        self._listener.close()
        for connection, steps in self._connections.items():
            steps.close()
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            connection.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._is_closing:
            first_end = min(self._ends.values(), default=inf)
            events = self._selector.select(None if first_end == inf else max(first_end - monotonic(), 0.0))
            for key, _ in events:
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._resume(key.fileobj, [key.fileobj])
            for connection in [one for one, ends_at in self._ends.items() if ends_at <= monotonic()]:
                self._resume(connection, [])

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
            client.settimeout(0)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        except BlockingIOError:
            return
        except OSError:  # the client has disconnected, or this process has no file descriptor left
            sleep(_RETRY_PAUSE_S)
            return
        self._connections[connection] = serve(connection, self)
        self._selector.register(connection, selectors.EVENT_READ)
        self._resume(connection, None)

    def _resume(self, connection: socket.socket, outcome: list[socket.socket] | None) -> None:
        """Let a connection go on until it waits again, or end it."""
        self._ends.pop(connection, None)
        try:
            step = self._connections[connection].send(outcome)
        except (StopIteration, OSError):  # served; the client doesn't trust the CA, or has disconnected
            self._end(connection)
        except Exception:  # noqa: BLE001  (a bug: the others are still served)
            self._end(connection)
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
        else:
            self._wait(connection, step)

    def _wait(self, connection: socket.socket, step: Step) -> None:
        assert isinstance(step, Ready)  # noqa: S101  (`serve` yields no other)
        event = selectors.EVENT_WRITE if step.for_writing else selectors.EVENT_READ
        if self._selector.get_key(connection).events != event:
            self._selector.modify(connection, event)
        if step.ends_at != inf:
            self._ends[connection] = step.ends_at

    def _end(self, connection: socket.socket) -> None:
        del self._connections[connection]
        self._selector.unregister(connection)
        connection.close()
