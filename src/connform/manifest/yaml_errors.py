"""Errors of the YAML parser: code, message and source position.

Layer 1, no IO.
"""

from __future__ import annotations

import re

from connform.diagnostics import Span
from connform.manifest.nodes import Map
from connform.manifest.text import Mistake


class Duplicates(list["YamlError"]):
    """The errors of duplicate keys."""

    more = 0
    """How many more there are than listed."""


class YamlError(Exception):
    """The text is not YAML that connform accepts."""

    def __init__(self, code: str, detail: str, span: Span, first: Span | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.span = span
        self.first = first
        """The first position of a duplicate key."""
        self.key = ""
        """The key of the wrong value, if the mistake is a placeholder; else empty."""
        self.reference = ""
        """Our reference to the same secret; empty if there is none."""


class NotYamlError(Exception):
    """The text is not YAML; the error says no more than that."""


def yaml_error(mistake: Mistake, text: str, name: str) -> YamlError:
    """Return the error of a mistake in a text; `name` is that of the file."""
    start, end = (min(offset, len(text.rstrip("\r\n"))) if offset >= len(text) else offset for offset in mistake[2:4])
    line, column = _place(text, start)
    end_line, end_column = _place(text, max(start + 1, end))
    if end_line > line:
        end_line, end_column = line, column + 1
    error = YamlError(mistake.code, mistake.detail, Span(name, line, column, end_line, end_column))
    error.key, error.reference = mistake.key, mistake.reference
    return error


def _place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


MAX_SCALAR_CHARACTERS = 65_536


def scalar_too_long(span: Span) -> YamlError:
    """Return the error of a scalar with more than `MAX_SCALAR_CHARACTERS`; `span` is that of its first character."""
    return YamlError("yaml-scalar-too-long", f"at most {MAX_SCALAR_CHARACTERS} characters are allowed", span)


_EMPTY = r"(?:---|\.\.\.|\s++|#[^\n]*+)*+"


def about_document(root: Map | None, rest: str) -> str:
    """Return the message about a second document, with which `rest` starts."""
    if root is None:
        return "the document above this `---` is empty: remove one of the two `---`"
    if re.fullmatch(_EMPTY, rest):
        return "nothing follows this `---`: remove it"
    return "one file holds one document: move what follows `---` into a file of its own"
