"""The plainest HTTP/1.1 exchange, without h11: a request without a body, and an answer that came as a whole.

Layer 1, no IO. Most checks are such an exchange, and h11 would take a fifth of their time. Whatever differs in the least, mistakes included,
is left to h11: these functions return `None` for it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from connform.http.wire import WireRequest

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_LINE = rb"%b:[ \t]*+(?:[^\x00\s]++(?:[ \t]++[^\x00\s]++)*+)?+[ \t]*+\r\n" % _TOKEN
"""What h11 accepts."""
_METHOD = re.compile(_TOKEN.decode())
_TARGET = re.compile(rb"[\x21-\x7e]++")
_ANSWER = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t \x21-\x7e]*+)?\r\n((?:%b)*+)\r\n" % _LINE)
_FRAMING = {b"content-length", b"transfer-encoding"}
_WITHOUT_BODY = {204, 304}
_DIGITS = re.compile(rb"[0-9]{1,6}")


class PlainAnswer(NamedTuple):
    """An answer with its whole body."""

    status: int
    """HTTP status."""
    headers: list[tuple[bytes, bytes]]
    """Header lines, names as they were sent."""
    body: bytes
    """Its body, as it was sent."""


def plain_bytes(request: WireRequest) -> bytes | None:
    """Return the bytes of a request whose header lines are legal (`wire.py`); `None` where it has a body, or h11 would refuse it."""
    names = [name.lower() for name, _ in request.headers]
    if request.content or names.count(b"host") != 1 or not _FRAMING.isdisjoint(names):
        return None
    if not (_METHOD.fullmatch(request.method) and _TARGET.fullmatch(request.target)):
        return None
    lines = b"".join([b"%b: %b\r\n" % line for line in request.headers])
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode("ascii"), request.target, lines)


def plain_answer(method: str, received: bytes) -> PlainAnswer | None:
    """Return the answer to a request of a method; `None` unless it is complete, and `Content-Length` says so."""
    head = _ANSWER.match(received)
    if head is None or method in {"HEAD", "CONNECT"} or (status := int(head[1])) in _WITHOUT_BODY:
        return None
    headers = []
    for line in head[2].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        headers.append((name, value.strip(b" \t")))
    framing = [(name.lower(), value) for name, value in headers if name.lower() in _FRAMING]
    body = received[head.end() :]
    if len(framing) != 1 or framing[0][0] != b"content-length" or not _DIGITS.fullmatch(framing[0][1]):
        return None
    return PlainAnswer(status, headers, body) if int(framing[0][1]) == len(body) else None
