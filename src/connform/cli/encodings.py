"""Views of a program's output in which escapes are undone, for masking; each byte maps back to the output.

Layer 5, no IO. Undoes the escapes of JSON, source code, URLs, HTML and shells, whichever characters are escaped.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple

MAX_NESTED = 2
"""How many kinds of escapes are undone inside of each other: JSON in JSON, JSON in a URL, a URL in HTML, …"""


class DecodedView:
    """The output of a program with some escapes undone. Each byte stands for a piece of the output."""

    def __init__(
        self, data: bytes, parent: DecodedView | None = None, run_starts: tuple[list[int], list[int]] = ([0], [0])
    ) -> None:
        """Take the bytes.

        Args:
            data: the bytes.
            parent: the view in which an escape was undone; `None` for the output itself.
            run_starts: where each run of bytes begins, here and in `parent`. Every second run is what an escape stands for.
        """
        self.data = data
        self.unfinished_at: int | None = None
        """Position in the output where an unfinished escape begins; `None` where there is none."""
        self._parent = parent
        self._starts, self._starts_in_parent = run_starts

    def start(self, index: int) -> int:
        """Return the position in the output where the piece begins that a byte stands for."""
        if self._parent is None:
            return index
        run = bisect_right(self._starts, index) - 1
        return self._parent.start(self._starts_in_parent[run] + (index - self._starts[run] if run % 2 == 0 else 0))

    def end(self, index: int) -> int:
        """Return the position in the output where the piece ends that the byte before `index` stands for."""
        if self._parent is None:
            return index
        run = bisect_right(self._starts, index - 1) - 1
        return self._parent.end(
            self._starts_in_parent[run] + index - self._starts[run] if run % 2 == 0 else self._starts_in_parent[run + 1]
        )

    def without(self, escape: Escape, *, is_last: bool) -> DecodedView | None:
        """Return the view with one kind of escape undone; `None` where it has none.

        Args:
            escape: the kind.
            is_last: whether the output is complete: then no escape is unfinished.
        """
        if not any(sign in self.data for sign in escape.signs):
            return None
        pattern = escape.pattern if is_last else rb"(?!%s)(?:%s)" % (escape.unfinished, escape.pattern)
        pieces: list[bytes] = []
        starts, starts_in_parent, length, position = [0], [0], 0, 0
        for found in re.finditer(pattern, self.data):
            plain = escape.undo(found[0])
            before = self.data[position : found.start()]
            pieces += (before, plain)
            starts += (length + len(before), length + len(before) + len(plain))
            starts_in_parent += (found.start(), found.end())
            length, position = starts[-1], found.end()
        unfinished = (
            None if is_last else re.compile(escape.unfinished).search(self.data, max(position, len(self.data) - 48))
        )
        if not (pieces or unfinished):
            return None
        pieces.append(self.data[position : unfinished.start() if unfinished else len(self.data)])
        view = DecodedView(b"".join(pieces), self, (starts, starts_in_parent))
        view.unfinished_at = self.start(unfinished.start()) if unfinished else None
        return view


class Escape(NamedTuple):
    """One kind of escape."""

    signs: tuple[bytes, ...]
    """The bytes with which one may begin."""
    pattern: bytes
    """A regular expression that matches one."""
    unfinished: bytes
    """A regular expression that matches an unfinished one at the end of the data."""
    undo: Callable[[bytes], bytes]
    """Returns the bytes that one stands for."""


_LETTERS = {
    b"\\" + letter: plain
    for letter, plain in zip(
        (b"n", b"r", b"t", b"b", b"f", b"a", b"v", b"e", b"E"),
        (b"\n", b"\r", b"\t", b"\b", b"\f", b"\a", b"\v", b"\x1b", b"\x1b"),
        strict=True,
    )
}


def _backslash(text: bytes) -> bytes:
    if text in _LETTERS:
        return _LETTERS[text]
    kind, digits = text[1:2], text[2:]
    if kind in b"uU" and digits:
        units = [int(unit, 16) for unit in re.findall(rb"[0-9A-Fa-f]+", digits)]
        if len(units) > 1:  # a surrogate pair
            units = [0x10000 + ((units[0] - 0xD800) << 10) + units[1] - 0xDC00]
        return chr(min(units[0], 0x10FFFF)).encode("utf-8", "surrogatepass")
    if kind == b"x" and digits:
        return bytes([int(digits, 16)])
    if len(digits) == len(b"01"):
        return bytes([int(text[1:], 8)])
    return text[1:]


ESCAPES = (
    Escape(
        (b"\\",),  # JSON, source code, $'…', printf %q
        rb"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}"
        rb"|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[\s\S])",
        rb"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}(?:\\(?:u[dD]?[0-9A-Fa-f]{0,2})?)?|u\{?[0-9A-Fa-f]{0,6}|U[0-9A-Fa-f]{0,7}|x[0-9A-Fa-f]?"
        rb"|[0-3][0-7]?)?\Z",
        _backslash,
    ),
    Escape((b"%",), rb"%[0-9A-Fa-f]{2}", rb"%[0-9A-Fa-f]?\Z", lambda text: bytes([int(text[1:], 16)])),
    Escape(
        (b"&",),
        rb"&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});",
        rb"&(?:\#[xX]?[0-9A-Fa-f]{0,7}|[A-Za-z0-9]{0,31})\Z",
        lambda text: unescape(text.decode()).encode("utf-8", "replace"),
    ),
    Escape(
        (b"'",),  # a quote inside of a shell's quotes
        rb"'\"'{1,16}\"'|'\\''",
        rb"'(?:\"'{0,16}\"?|\\'?)?\Z",
        lambda text: text[2:-2] if text[1:2] == b'"' else b"'",
    ),
)
_AFTER_LONG_LINE = rb"(?<=[A-Za-z0-9+/=_-]{32}"
LINE_ENDS = Escape(
    (b"\n", b"\r"),
    rb"(?:\r\n%s\r\n)|\n%s\n))[ \t]{0,32}" % (_AFTER_LONG_LINE, _AFTER_LONG_LINE),
    rb"\r%s\r)\Z" % _AFTER_LONG_LINE,
    lambda _: b"",
)
"""Ends of lines of 32 characters of base64 or more: programs break base64 at 64 or 76 columns."""


def views(output: bytes, *, is_last: bool) -> Iterator[DecodedView]:
    """Yield the output as it is, with each kind of escape undone, and with a second kind undone inside of that.

    Args:
        output: what a program wrote.
        is_last: whether it is complete.
    """
    level = [DecodedView(output)]
    for _ in range(MAX_NESTED + 1):
        for view in level:
            yield view
            if joined := view.without(LINE_ENDS, is_last=is_last):
                joined.unfinished_at = None  # the end of a line alone is no unfinished escape
                yield joined
        level = [inner for view in level for each in ESCAPES if (inner := view.without(each, is_last=is_last))]
