"""Helpers for text on a terminal: colours, aligned columns, wrapped paragraphs, replaced control characters. Layer 4, no IO."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

BOLD, DIM, RED, GREEN, YELLOW, BLUE = "1", "2", "31", "32", "33", "34"
BOLD_RED, BOLD_GREEN, BOLD_YELLOW = "1;31", "1;32", "1;33"

ASCII = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "…": ".",
        "�": "?",
        "→": ">",
        **dict.fromkeys("▁▂▃", "_"),
        **dict.fromkeys("▄▅▆", "-"),
        **dict.fromkeys("▇█", "^"),
    }
)
"""Replacements of the same width, for an output whose encoding lacks the glyphs."""

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")


class Painter:
    """Colours text, or leaves it alone."""

    def __init__(self, *, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._color and style and text else text


def clean(text: str) -> str:
    """Return `text` with every character that isn't printable replaced by one `�`: it could control a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "�" for char in text)


def clean_column(cells: Sequence[str]) -> Sequence[str]:
    """Return a column with every cell cleaned."""
    return cells if "".join(cells).isprintable() else [clean(cell) for cell in cells]


def width_of(text: str) -> int:
    """Return how many columns `text` takes, not counting colours (Unicode TR 11)."""
    bare = _ESCAPES.sub("", text) if "\x1b" in text else text
    if bare.isascii():
        return len(bare)
    others = _NON_ASCII.findall(bare)
    return len(bare) - len(others) + sum(map(_columns, others))


@cache
def _columns(character: str) -> int:
    from unicodedata import category, east_asian_width  # imported here: only such characters need the table

    if "\u1160" <= character <= "\u11ff":  # the second and third part of a Korean syllable
        return 0
    if category(character) in {"Mn", "Me", "Cf"}:  # combining, enclosing, invisible
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def aligned_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as aligned lines; empty columns are left out."""
    if len(rows) == 1:
        return ["  ".join(filter(None, rows[0])).rstrip()]
    return aligned_lines(zip(*rows, strict=True)) or [""] * len(rows)


def aligned_lines(columns: Iterable[Sequence[str]]) -> list[str]:
    """Return aligned lines as `columns` does, but from columns of cells."""
    aligned = [cells for column in columns if any(cells := _aligned(column))]
    return [line.rstrip() for line in map("  ".join, zip(*aligned, strict=True))]


def _aligned(column: Sequence[str]) -> list[str]:
    """Return the cells of a column, padded to one width."""
    text = "".join(column)
    if text.isascii() and "\x1b" not in text:
        width = max(map(len, column))
        return [cell.ljust(width) for cell in column]
    taken = [width_of(cell) for cell in column]
    width = max(taken)
    return [cell + " " * (width - own) for cell, own in zip(column, taken, strict=True)]


def paragraph(text: str, *, first: str, rest: str, width: int) -> list[str]:
    """Return `text` wrapped behind a prefix; a word is never broken, so that URLs and codes stay whole."""
    from textwrap import wrap  # imported here: a run without findings wraps nothing

    room = max(width - width_of(first), 40)
    lines = wrap(clean(" ".join(text.split())), room, break_long_words=False, break_on_hyphens=False)
    return [f"{rest if index else first}{line}" for index, line in enumerate(lines)]


def format_count(number: int, noun: str) -> str:
    """Return `no errors`, `1 error`, `7 errors`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def format_policy_count(number: int) -> str:
    """Return `1 policy`, `7 policies`."""
    return f"{number} {'policy' if number == 1 else 'policies'}"


def format_place(item: dict[str, object]) -> str:
    """Return `file:line:column` of an item of a view; an empty text where it has no file."""
    return clean(f"{item['file']}:{item['line']}:{item['column']}") if item["file"] else ""
