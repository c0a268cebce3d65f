"""Sends bytes to a port as they are, and reads the answers: what no HTTP library would send."""

from __future__ import annotations

import socket
from contextlib import suppress
from http.client import HTTPResponse
from typing import NamedTuple

PATIENCE_S = 30.0
MOMENT_S = 0.2


class Answer(NamedTuple):
    """One answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Names in lower case."""
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for found, value in self.headers if found == name]


def ask(port: int, *parts: bytes, method: str = "GET") -> Answer | None:
    """Send bytes over a connection of their own and return the first answer; `None` where the connection is closed without one.

    Args:
        port: of 127.0.0.1.
        parts: sent one after the other.
        method: whether the answer can have a body depends on it.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as sock:
        try:
            for part in parts:
                sock.sendall(part)
            response = HTTPResponse(sock, method=method)
            response.begin()
            headers = tuple((name.lower(), value) for name, value in response.getheaders())
            return Answer(response.status, headers, response.read())
        except ConnectionError:  # http.client's for an empty answer is one as well
            return None


def everything(port: int, data: bytes) -> bytes:
    """Send bytes, and return all that comes until the connection is closed; no more is sent once nothing has come for a moment."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=MOMENT_S) as sock, suppress(ConnectionError):
        sock.sendall(data)
        try:
            while piece := sock.recv(65536):
                received += piece
        except TimeoutError:
            sock.settimeout(PATIENCE_S)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                received += piece
    return bytes(received)


def request(target: str, host: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request; its target and headers go out as they are, in Latin-1."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
