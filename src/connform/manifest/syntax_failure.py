"""A YAML syntax error as libyaml reports it, with the text around it. Layer 1, no IO."""

from __future__ import annotations

import re
from typing import NamedTuple

from connform.manifest.text import Mistake

_GAP = re.compile(r"(?:\s++|#[^\n]*+)*+")
"""Blanks, line ends and comments."""


class SyntaxFailure(NamedTuple):
    """A syntax error of libyaml; positions are offsets into the text."""

    text: str
    """The file without its byte order mark."""
    problem: str
    """The message of libyaml; never shown."""
    position: int
    """The position where it stopped."""
    context_start: int
    """The start of what it was reading; the same as `position` if it doesn't report it."""
    last_scalar: tuple[int, int, str]
    """Start, end and quote (or none) of the last scalar before `position`; zeros if there is none."""
    bracket: int
    """The innermost bracket that is open at `position`, or -1."""

    @property
    def character(self) -> str:
        """The character at `position`; nothing at the end of the file."""
        return self.text[self.position : self.position + 1]

    @property
    def line_start(self) -> int:
        """Where the line of `position` starts."""
        return start_of_line(self.text, self.position)

    @property
    def is_first_in_line(self) -> bool:
        """Whether only blanks stand before `position` in its line."""
        return not self.text[self.line_start : self.position].strip()

    @property
    def follows_text(self) -> bool:
        """Whether only blanks and comments stand between the last text and `position`."""
        return self.last_scalar[1] > 0 and _GAP.fullmatch(self.text, self.last_scalar[1], self.position) is not None

    @property
    def follows_long_quote(self) -> bool:
        """Whether the last scalar is a quoted one over several lines, whose closing quote may be missing."""
        start, end, quote = self.last_scalar
        return bool(quote) and self.follows_text and "\n" in self.text[start:end]


def start_of_line(text: str, offset: int) -> int:
    """Return where the line of an offset starts."""
    return text.rfind("\n", 0, offset) + 1


def column(text: str, offset: int) -> int:
    """Return the 0-based column of an offset."""
    return offset - start_of_line(text, offset)


def syntax(detail: str, start: int, end: int = 0) -> Mistake:
    """Return a mistake of syntax, of one character if no end is given."""
    return Mistake("yaml-syntax", detail, start, max(end, start + 1))
