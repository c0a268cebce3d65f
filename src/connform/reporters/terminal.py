"""Helpers for text on a terminal: colours, widths, the look of a report, replaced control characters. Layer 4, no IO."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

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

_ESCAPES = r"\x1b\[[0-9;]*m"
UNLIMITED = 1_000_000
"""The width of rows that are never cut or wrapped."""
_NON_ASCII = r"[^\x00-\x7f]"


class Painter:
    """Colours text, or leaves it alone."""

    def __init__(self, *, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._color and style and text else text


class Look(NamedTuple):
    """How a report is to look."""

    paint: Painter
    """Colours text, or leaves it alone."""
    width: int
    """Columns of the terminal; how wide the paragraphs of a log are."""
    verbosity: int
    """-1 for errors and failures only, 0, 1 and more for more facts."""
    now: datetime | None = None
    """The time, aware, if a person reads this on a terminal: `None` for a log and a file."""

    @property
    def row_width(self) -> int:
        """Columns that a row of a table may take; the rows of a log are as long as they are."""
        return self.width if self.now else UNLIMITED


def clean(text: str) -> str:
    """Return `text` with every character that isn't printable replaced by one `�`: it could control a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "�" for char in text)


def clean_column(cells: Sequence[str]) -> Sequence[str]:
    """Return a column with every cell cleaned."""
    return cells if "".join(cells).isprintable() else [clean(cell) for cell in cells]


def width_of(text: str) -> int:
    """Return how many columns `text` takes, not counting colours (Unicode TR 11)."""
    bare = re.sub(_ESCAPES, "", text) if "\x1b" in text else text
    if bare.isascii():
        return len(bare)
    others = re.findall(_NON_ASCII, bare)
    return len(bare) - len(others) + sum(map(_columns, others))


def is_uncoloured_ascii(texts: Sequence[str]) -> bool:
    """Whether every text takes as many columns as it has characters, because all of these are ASCII and none is of a colour."""
    together = "".join(texts)
    return together.isascii() and "\x1b" not in together


def widths_of(texts: Sequence[str]) -> list[int]:
    """Return how many columns each text takes."""
    return list(map(len if is_uncoloured_ascii(texts) else width_of, texts))


@cache
def _columns(character: str) -> int:
    from unicodedata import category, east_asian_width  # imported here: only such characters need the table

    if "\u1160" <= character <= "\u11ff":  # the second and third part of a Korean syllable
        return 0
    if category(character) in {"Mn", "Me", "Cf"}:  # combining, enclosing, invisible
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def format_count(number: int, noun: str) -> str:
    """Return `no errors`, `1 error`, `7 errors`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def format_policy_count(number: int) -> str:
    """Return `1 policy`, `7 policies`."""
    return f"{number} {'policy' if number == 1 else 'policies'}"


def format_place(item: dict[str, object]) -> str:
    """Return `file:line:column` of an item of a view; an empty text where it has no file."""
    return clean(f"{item['file']}:{item['line']}:{item['column']}") if item["file"] else ""
