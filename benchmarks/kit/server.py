"""Serves distinct TLS endpoints on loopback: one port each, every answer 20 ms late unless told, a success only for the right key.

`python server.py PORTS CERTIFICATE KEY [DELAY]` prints its ports as JSON, and ends when standard input ends, with the number of its
answers and the CPU time that they took. It is one bare loop over sockets, so that it isn't what limits: asyncio's TLS would
take twice as long.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import socket
import ssl
import sys
from collections import deque
from time import monotonic

DELAY_S = 0.02
LIMIT_S = 3600
KEY = b"synthetic-key"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"


class Server:
    def __init__(self, context: ssl.SSLContext, delay_s: float) -> None:
        self._delay_s = delay_s
        self.answers = 0
        self._context = context
        self._ended = False
        self._selector = selectors.DefaultSelector()
        self._received: dict[ssl.SSLSocket, bytes] = {}
        self._late: deque[tuple[float, ssl.SSLSocket, bytes]] = deque()

    def listen(self) -> int:
        """Open one more endpoint and return its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        listener.settimeout(0)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        port: int = listener.getsockname()[1]
        return port

    def run(self) -> None:
        """Serve until standard input ends."""
        self._selector.register(0, selectors.EVENT_READ, self._end)
        limit = monotonic() + LIMIT_S
        while not self._ended and monotonic() < limit:
            wait_s = max(self._late[0][0] - monotonic(), 0) if self._late else 60
            for key, _ in self._selector.select(wait_s):
                key.data(key.fileobj)
            while self._late and self._late[0][0] <= monotonic():
                _, connection, answer = self._late.popleft()
                self._answer(connection, answer)

    def _end(self, _: int) -> None:
        self._ended = not os.read(0, 1)

    def _accept(self, listener: socket.socket) -> None:
        plain, _ = listener.accept()
        plain.settimeout(0)
        connection = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._received[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, self._receive)

    def _receive(self, connection: ssl.SSLSocket) -> None:
        try:
            data = connection.recv(65536)  # the handshake happens in here
        except ssl.SSLWantReadError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        self._received[connection] += data
        if self._received[connection].endswith(b"\r\n\r\n"):
            head = self._received[connection].lower()
            self._received[connection] = b""
            answer = OK if b"\r\nx-api-key: " + KEY + b"\r\n" in head else REFUSED
            self._late.append((monotonic() + self._delay_s, connection, answer))

    def _answer(self, connection: ssl.SSLSocket, answer: bytes) -> None:
        if connection not in self._received:
            return
        try:
            connection.send(answer)
        except OSError:
            self._close(connection)
        else:
            self.answers += 1

    def _close(self, connection: ssl.SSLSocket) -> None:
        self._selector.unregister(connection)
        del self._received[connection]
        connection.close()


def main(count: int, certificate: str, key: str, delay_s: str = str(DELAY_S)) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(context, float(delay_s))
    print(json.dumps([server.listen() for _ in range(count)]), flush=True)
    before = resource.getrusage(resource.RUSAGE_SELF)
    server.run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"answers": server.answers, "cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
