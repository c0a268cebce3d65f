"""Times requests to several addresses in turns: `proxy_client.py TARGETS REQUESTS ROUNDS`, of which TARGETS is JSON.

A target is `{"port": …, "path": …, "headers": {…}, "ca_file": …}`; with a CA file, it is asked by TLS. Each answer has to be `200` with `{}`.
Prints for each target, at one request at a time and at 32: the median microseconds of a request, and requests a second, of the
median round. It is one bare loop over sockets, so that it isn't what limits.
"""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import statistics
import sys
import time

AT_ONCE = (1, 32)
LIMIT_S = 60
END = b"\r\n\r\n{}"


class Target:
    """An address."""

    def __init__(self, port: int, path: str, headers: dict[str, str], ca_file: str = "") -> None:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self._port = port
        self._context = ssl.create_default_context(cafile=ca_file) if ca_file else None

    def _connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self._port), timeout=LIMIT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._context.wrap_socket(plain, server_hostname="127.0.0.1") if self._context else plain

    def ask(self, requests: int, at_once: int) -> tuple[list[float], float]:
        """Return the seconds of each request, and those of all, over connections that have had one request each."""
        sockets = [self._connect() for _ in range(at_once)]
        self._run(sockets, at_once)
        began = time.perf_counter()
        times = self._run(sockets, requests)
        seconds = time.perf_counter() - began
        for sock in sockets:
            sock.close()
        return times, seconds

    def _run(self, sockets: list[socket.socket], requests: int) -> list[float]:
        times: list[float] = []
        left = requests - len(sockets)
        sent_at, received = {}, dict.fromkeys(sockets, b"")
        with selectors.DefaultSelector() as selector:
            for sock in sockets:
                selector.register(sock, selectors.EVENT_READ)
                sent_at[sock] = time.perf_counter()
                sock.sendall(self._request)
            while len(times) < requests:
                for key, _ in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    sock = key.fileobj
                    piece = sock.recv(65536)
                    received[sock] += piece
                    if piece and not received[sock].endswith(END):
                        continue
                    assert received[sock].startswith(b"HTTP/1.1 200 "), received[sock]
                    times.append(time.perf_counter() - sent_at[sock])
                    received[sock] = b""
                    if left:
                        left -= 1
                        sent_at[sock] = time.perf_counter()
                        sock.sendall(self._request)
        return times


def main() -> None:
    given, requests, rounds = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    targets = {name: Target(**one) for name, one in given.items()}
    found = {}
    for at_once in AT_ONCE:
        medians: dict[str, list[float]] = {name: [] for name in targets}
        rates: dict[str, list[float]] = {name: [] for name in targets}
        names = list(targets)
        for number in range(rounds + 1):
            shift = number % len(names)
            for name in (*names[shift:], *names[:shift]):
                times, seconds = targets[name].ask(requests, at_once)
                medians[name].append(statistics.median(times) * 1e6)
                rates[name].append(requests / seconds)
        found[str(at_once)] = {  # without the first round, in which the proxies connect
            name: {"median_us": statistics.median(medians[name][1:]), "rate": statistics.median(rates[name][1:])}
            for name in names
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
