"""`Mask`: replaces secrets in a stream of bytes, also where one is spread over several pieces. Layer 5, no IO.

The time is linear in the length of the stream, however long the secrets are.
"""

from __future__ import annotations

import base64
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from connform.cli.encodings import View, views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connform.secret import Secret

MASK: Final = b"***"
_SHORTEST_ENCODED: Final = 8
"""Less is found in any text."""
_CONTEXT: Final = 64
"""As much of what was shown is kept: the end of a line counts behind a long one only."""
_SURE: Final = 1024
"""Who has written as much of a secret writes the rest; until a sixteenth more has come, nothing is searched anew."""
_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_FORM: Final = bytes.maketrans(b"+", b" ")
_ANCHORS: Final = (128, 8)
"""How much of the beginning of a secret is looked for, before the rest is compared."""


class Mask:
    """Hides secrets in one stream; holds back no more than what may be the beginning of one, or of an escape."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        """Take what must not be seen."""
        values = {value for secret in secrets if (value := secret.reveal().encode())}
        self._plain = sorted(values, key=len, reverse=True)
        self._encoded = sorted({form for value in values for form in _in_base64(value)}, key=len, reverse=True)
        self._shown = b""
        self._held = bytearray()
        self._is_enough = 1

    def feed(self, piece: bytes) -> bytes:
        """Return what may be shown by now."""
        self._held += piece
        return self._search(is_last=False) if len(self._held) >= self._is_enough else b""

    def end(self) -> bytes:
        """Return the rest: what was held back, masked as far as it is a secret."""
        return self._search(is_last=True)

    def _search(self, *, is_last: bool) -> bytes:
        start = len(self._shown)
        output = self._shown + bytes(self._held)
        found: list[tuple[int, int]] = []
        until, self._is_enough = len(output), 1
        for view in views(output, is_last=is_last):
            first = bisect_left(range(len(view.data)), start, key=view.start)
            for needle, data in self._wanted(view):
                found += ((view.start(at), view.end(at + len(needle))) for at in _places(data, needle, first))
                length = 0 if is_last else _begun(data, needle)
                if length:
                    until = min(until, max(view.start(len(data) - length), start))
                    if length >= _SURE:
                        self._is_enough = max(self._is_enough, min(length // 16, len(needle) - length))
            if view.rest is not None:
                until = min(until, max(view.rest, start))
        shown, until = _masked(output, found, start, until)
        self._held = bytearray(output[until:])
        self._is_enough = len(self._held) + self._is_enough
        self._shown = output[:until][-_CONTEXT:]
        return shown

    def _wanted(self, view: View) -> Iterator[tuple[bytes, bytes]]:
        """Yield what to look for, and where."""
        for value in self._plain:
            yield value, view.data
            if b" " in value and b"+" in view.data:
                yield value.translate(_FORM), view.data.translate(_FORM)
        data = view.data.translate(_BASE64)
        for form in self._encoded:
            yield form, data


def _masked(output: bytes, found: list[tuple[int, int]], start: int, until: int) -> tuple[bytes, int]:
    """Return what is shown between two places, and where it ends: behind a secret that reaches beyond it."""
    pieces: list[bytes] = []
    for begin, end in sorted(found):
        if begin < until and end > start:
            pieces += (output[start:begin], MASK) if begin >= start else ()
            start = end
    return b"".join(pieces) + output[start:until], max(start, until)


def _places(data: bytes, needle: bytes, first: int) -> Iterator[int]:
    at = data.find(needle, first)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


def _begun(data: bytes, needle: bytes) -> int:
    """Return how much of a needle, but not the whole of it, the data end with."""
    tail = data[max(len(data) - len(needle) + 1, 0) :]
    for anchor in _ANCHORS:
        at = tail.find(needle[:anchor]) if len(tail) >= anchor else -1
        while at >= 0:
            length = len(tail) - at
            if needle[length - anchor : length] == tail[-anchor:] and needle.startswith(tail[at:]):
                return length
            at = tail.find(needle[:anchor], at + 1)
        tail = tail[-anchor + 1 :]
    return next((n for n in range(len(tail), 0, -1) if tail.endswith(needle[:n])), 0)


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """Yield what stands for a value in base64, wherever its bytes begin there; without what depends on its neighbours."""
    for before in range(3):
        bits = 8 * before
        whole = base64.b64encode(bytes(before) + plain)[(bits + 5) // 6 : (bits + 8 * len(plain)) // 6]
        if len(whole) >= _SHORTEST_ENCODED:
            yield whole
