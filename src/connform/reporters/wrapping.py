"""Lines that fit a terminal: cut texts, wrapped pieces, rows and paragraphs. Layer 4, no IO."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from connform.reporters.terminal import clean, width_of, widths_of

_TEXT_OR_ESCAPE = r"\x1b\[[0-9;]*m|[^\x1b]+"
_BREAK = r"(?<![0-9]) "
_LEAST_ROOM = 24
"""Columns of text that a paragraph has in any case, however narrow the terminal is."""


def beginning(text: str, room: int) -> str:
    """Return the characters of a text without colours that fit into `room` columns."""
    taken = 0
    for index, character in enumerate(text):
        taken += width_of(character)
        if taken > room:
            return text[:index]
    return text


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` columns, with `…` in place of what is left out; colours stay."""
    if width_of(text) <= width:
        return text
    pieces: list[str] = []
    room = width - 1
    for piece in re.findall(_TEXT_OR_ESCAPE, text):
        if piece.startswith("\x1b"):
            pieces.append(piece)
        elif room >= 0:
            fitting = beginning(piece, room)
            room = room - width_of(fitting) if fitting == piece else -1
            pieces.append(fitting if fitting == piece else f"{fitting}…")
    return "".join(pieces)


def fold(pieces: Iterable[str], *, first: str = "", rest: str = "", width: int, separator: str = " ") -> list[str]:
    """Return the pieces in lines of at most `width` columns; a piece is never broken, so that URLs and codes stay whole.

    Args:
        pieces: words, names, or anything else; they may be coloured.
        first: what the first line begins with.
        rest: what every other line begins with.
        width: columns; a longer piece has a line of its own.
        separator: what stands between two pieces of one line.
    """
    lines: list[str] = []
    line, taken, is_empty = first, width_of(first), True
    pieces = list(pieces)
    for piece, own in zip(pieces, widths_of(pieces), strict=True):
        if not is_empty and taken + len(separator) + own > width:
            lines.append(line.rstrip())
            line, taken, is_empty = rest, width_of(rest), True
        line += piece if is_empty else separator + piece
        taken += own + (0 if is_empty else len(separator))
        is_empty = False
    return lines if is_empty else [*lines, line.rstrip()]


def fold_rows(rows: Iterable[str], width: int) -> list[str]:
    """Return aligned lines; one that is wider than `width` is wrapped between its words, but not behind a number."""
    lines: list[str] = []
    for row in rows:
        if len(row) * 2 <= width or width_of(row) <= width:  # no character takes more than two columns
            lines.append(row)
        else:
            words = row.lstrip()
            indent = " " * (len(row) - len(words))
            lines += fold(re.split(_BREAK, words), first=indent, rest=f"{indent}    ", width=width)
    return lines


def paragraph(text: str, *, first: str, rest: str, width: int) -> list[str]:
    """Return `text` wrapped behind a prefix; a word is never broken."""
    words = clean(" ".join(text.split())).split()
    return fold(words, first=first, rest=rest, width=max(width, width_of(first) + _LEAST_ROOM))


def enumerated(names: Sequence[str]) -> list[str]:
    """Return names with a comma behind each but the last, for `fold`."""
    return [*(f"{name}," for name in names[:-1]), *names[-1:]]
