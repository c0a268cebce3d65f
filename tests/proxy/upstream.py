"""An API behind TLS that takes one credential, and tells what reached it: requests as they were sent, bodies of any size."""

from __future__ import annotations

import gzip
import json
import secrets
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import parse_qs, unquote, urlsplit

from tests.canary import API_KEY
from tests.http.servers import Connection, head

ROOT = "/api/v1"
PATIENCE_S = 30.0
_PIECE = secrets.token_bytes(1 << 16)
"""What the bodies of `/bytes` repeat."""


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    """Names in lower case."""
    length: int
    """Bytes of its body."""
    checksum: int
    """CRC-32 of its body."""

    def values(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for found, value in self.headers if found == name]


@dataclass
class Upstream:
    """A behaviour for `tests.http.servers.Server`."""

    header: str = "authorization"
    good: str = f"Bearer {API_KEY}"
    """The header and the value that the API takes."""
    seen: list[Seen] = field(default_factory=list)
    refused: int = 0
    """How many requests came with another credential."""
    issued: list[str] = field(default_factory=list)
    """The access tokens of `/token`, of which the API takes the last."""
    sent: int = 0
    """Bytes of the answers of `/bytes`."""
    release: threading.Event = field(default_factory=threading.Event)
    """What the second half of the answer to `/halves` waits for."""
    _gates: dict[int, threading.Barrier] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def paths(self) -> list[str]:
        """The targets of all requests."""
        return [one.target for one in self.seen]

    def __call__(self, connection: Connection) -> None:
        stream = cast("BinaryIO", connection.sock.makefile("rb", 1 << 18))
        while request := _read(stream):
            self._answer(connection, *request)

    def _answer(self, connection: Connection, request: Seen, body: bytes) -> None:
        if request.target == "/token":
            self.issued.append(f"issued-{secrets.token_hex(16)}")
            self.good = f"Bearer {self.issued[-1]}"
            _send(connection, {"access_token": self.issued[-1], "token_type": "Bearer", "expires_in": 3600})
            return
        with self._lock:
            self.seen.append(request)
        if request.values(self.header) != [self.good]:
            self.refused += 1
            _send(connection, {"error": "invalid_token"}, status=401)
        else:
            self._answer_accepted(connection, request, body)

    def _answer_accepted(self, connection: Connection, request: Seen, body: bytes) -> None:
        url = urlsplit(request.target)
        first, _, rest = url.path.removeprefix(ROOT).strip("/").partition("/")
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        match first:
            case "bytes":
                for piece in _framed(int(rest), chunked="chunked" in asked):
                    connection.send(piece)
                    self.sent += len(piece)
            case "cut":
                connection.send(head(200, [unquote(asked["header"])]) + b"5\r\nhello\r\n")
                connection.sock.shutdown(socket.SHUT_RDWR)
            case "zip":
                connection.send(_hello(packed="gzip" in "".join(request.values("accept-encoding"))))
            case "gate":
                self._gate(int(rest)).wait()
                _send(connection, {"id": 1})
            case "halves":
                connection.send(head(200, ["Content-Length: 10"]) + b"first")
                self.release.wait(PATIENCE_S)
                connection.send(b"later")
            case "answer":
                _send(connection, {}, *json.loads(asked["headers"]), status=int(rest))
            case "echo":
                _send(connection, _told(request, body, self.header))
            case _ if request.method == "HEAD":
                connection.send(head(200, ["Content-Length: 8"]))
            case _:
                _send(
                    connection, {"id": 1, "object": "balance", "received": request.length, "checksum": request.checksum}
                )

    def _gate(self, count: int) -> threading.Barrier:
        """Return what opens when so many requests wait at once."""
        with self._lock:
            return self._gates.setdefault(count, threading.Barrier(count, timeout=PATIENCE_S))


def checksum(size: int) -> int:
    """Return the CRC-32 of an answer of `/bytes`."""
    found = 0
    for piece in pieces(size):
        found = zlib.crc32(piece, found)
    return found


def pieces(size: int) -> Iterator[memoryview]:
    """Yield so many bytes in pieces."""
    whole = memoryview(_PIECE)
    for start in range(0, size, len(whole)):
        yield whole[: min(len(whole), size - start)]


def _read(stream: BinaryIO) -> tuple[Seen, bytes] | None:
    """Read a request, of whose body the first megabyte is returned; strictly, as what reads it any other way is another test's."""
    line = stream.readline().decode("latin-1")
    if not line:
        return None
    method, target, _ = line.split(" ")
    headers = []
    while (line := stream.readline().decode("latin-1")) != "\r\n":
        name, _, value = line.partition(":")
        headers.append((name.lower(), value.strip()))
    found, length, kept = 0, 0, bytearray()
    for piece in _body(stream, dict(headers)):
        found, length = zlib.crc32(piece, found), length + len(piece)
        kept += piece[: (1 << 20) - len(kept)]
    return Seen(method, target, tuple(headers), length, found), bytes(kept)


def _body(stream: BinaryIO, headers: dict[str, str]) -> Iterator[bytes]:
    if headers.get("transfer-encoding") == "chunked":
        while size := int(stream.readline(), 16):
            yield stream.read(size)
            stream.readline()
        stream.readline()
        return
    left = int(headers.get("content-length", "0"))
    while left:
        piece = stream.read(min(left, 1 << 18))
        if not piece:
            raise ConnectionError
        left -= len(piece)
        yield piece


def _hello(*, packed: bool) -> bytes:
    content = gzip.compress(b"hello") if packed else b"hello"
    encoding = ["Content-Encoding: gzip"] if packed else []
    return head(200, [f"Content-Length: {len(content)}", *encoding]) + content


def _told(request: Seen, body: bytes, hidden: str) -> dict[str, object]:
    headers = [line for line in request.headers if line[0] != hidden]
    return {"method": request.method, "target": request.target, "headers": headers, "body": body.decode("latin-1")}


def _send(connection: Connection, content: dict[str, object], *headers: str, status: int = 200) -> None:
    body = json.dumps(content).encode()
    lines = ["Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    connection.send(head(status, [unquote(line) for line in lines]) + body)


def _framed(size: int, *, chunked: bool) -> Iterator[bytes | memoryview]:
    """Yield a whole answer of so many bytes."""
    yield head(200, ["Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"])
    for piece in pieces(size):
        yield b"%x\r\n%b\r\n" % (len(piece), bytes(piece)) if chunked else piece
    if chunked:
        yield b"0\r\n\r\n"
