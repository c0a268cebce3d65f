"""`Mask`: replaces secrets in a stream of bytes, also where one is spread over several pieces. Layer 5, no IO.

The time is linear in the length of the stream, however long the secrets are.
"""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from connform.cli.encodings import DecodedView, views
from connform.secret import Secret

MASK = b"***"
_MIN_BASE64_BYTES = 8
"""Shorter forms are not searched for: they are found in any text."""
_CONTEXT_BYTES = 64
"""Bytes of shown output that are kept: an end of a line is undone only after a long line."""
_LONG_PREFIX_BYTES = 1024
"""From so many bytes of a secret on, the rest is expected: the next search waits for a sixteenth more."""
_BASE64 = bytes.maketrans(b"-_", b"+/")
_PLUS_AS_SPACE = bytes.maketrans(b"+", b" ")
_PREFIX_BYTES = (128, 8)
"""Lengths of the beginning of a secret that is searched for, before the rest is compared."""


class Mask:
    """Masks secrets in one stream. It holds back only what may be the beginning of a secret or of an escape."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        """Take the secrets to mask."""
        values = {value for secret in secrets if (value := secret.reveal().encode())}
        self._plain = sorted(values, key=len, reverse=True)
        self._base64 = sorted({form for value in values for form in _base64_forms(value)}, key=len, reverse=True)
        self._shown = b""
        self._held = bytearray()
        self._next_search_bytes = 1

    def feed(self, piece: bytes) -> bytes:
        """Take a piece of output, and return the output that can be shown by now."""
        self._held += piece
        return self._search(is_last=False) if len(self._held) >= self._next_search_bytes else b""

    def end(self) -> bytes:
        """Return the output that was held back, with secrets masked."""
        return self._search(is_last=True)

    def _search(self, *, is_last: bool) -> bytes:
        start = len(self._shown)
        output = self._shown + bytes(self._held)
        found: list[tuple[int, int]] = []
        until, self._next_search_bytes = len(output), 1
        for view in views(output, is_last=is_last):
            first = bisect_left(range(len(view.data)), start, key=view.start)
            for needle, data in self._searches(view):
                found += ((view.start(at), view.end(at + len(needle))) for at in _positions(data, needle, first))
                length = 0 if is_last else _partial_length(data, needle)
                if length:
                    until = min(until, max(view.start(len(data) - length), start))
                    if length >= _LONG_PREFIX_BYTES:
                        self._next_search_bytes = max(self._next_search_bytes, min(length // 16, len(needle) - length))
            if view.unfinished_at is not None:
                until = min(until, max(view.unfinished_at, start))
        shown, until = _masked_output(output, found, start, until)
        self._held = bytearray(output[until:])
        self._next_search_bytes = len(self._held) + self._next_search_bytes
        self._shown = output[:until][-_CONTEXT_BYTES:]
        return shown

    def _searches(self, view: DecodedView) -> Iterator[tuple[bytes, bytes]]:
        """Yield pairs: bytes to search for, and the data to search."""
        for value in self._plain:
            yield value, view.data
            if b" " in value and b"+" in view.data:
                yield value.translate(_PLUS_AS_SPACE), view.data.translate(_PLUS_AS_SPACE)
        data = view.data.translate(_BASE64)
        for form in self._base64:
            yield form, data


def _masked_output(output: bytes, found: list[tuple[int, int]], start: int, until: int) -> tuple[bytes, int]:
    """Return the masked output from `start` on, and where it ends: at `until`, or behind a secret that reaches beyond."""
    pieces: list[bytes] = []
    for begin, end in sorted(found):
        if begin < until and end > start:
            pieces += (output[start:begin], MASK) if begin >= start else ()
            start = end
    return b"".join(pieces) + output[start:until], max(start, until)


def _positions(data: bytes, needle: bytes, first: int) -> Iterator[int]:
    at = data.find(needle, first)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


def _partial_length(data: bytes, needle: bytes) -> int:
    """Return the length of the longest beginning of a needle, less than the whole, with which the data end."""
    tail = data[max(len(data) - len(needle) + 1, 0) :]
    for anchor in _PREFIX_BYTES:
        at = tail.find(needle[:anchor]) if len(tail) >= anchor else -1
        while at >= 0:
            length = len(tail) - at
            if needle[length - anchor : length] == tail[-anchor:] and needle.startswith(tail[at:]):
                return length
            at = tail.find(needle[:anchor], at + 1)
        tail = tail[-anchor + 1 :]
    return next((n for n in range(len(tail), 0, -1) if tail.endswith(needle[:n])), 0)


def _base64_forms(plain: bytes) -> Iterator[bytes]:
    """Yield the base64 of a value for each of three alignments, without characters that depend on the bytes beside it."""
    for offset in range(3):
        bits = 8 * offset
        form = base64.b64encode(bytes(offset) + plain)[(bits + 5) // 6 : (bits + 8 * len(plain)) // 6]
        if len(form) >= _MIN_BASE64_BYTES:
            yield form
