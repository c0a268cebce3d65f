"""Fixes of diagnostics: edits at exact positions inside of quotes, and their application to a source.

Layer 1, no IO. Outside of the edits, every byte stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from connform.diagnostics import Diagnostic, Edit, Span
from connform.manifest.nodes import LINE_BREAK
from connform.manifest.source_lines import SourceLines

_DOUBLE = '"'
_BOM = "\ufeff"
_QUOTED = re.compile(r"'[^']*'|\"[^\"\\]*\"")
_PLAIN = re.compile(r"[^\s\[\]{}\"'&*!|>%@`,#?:-].*")
"""A scalar without quotes, anchor, alias and tag (YAML 1.2 §7.3.3)."""
_SAFE = re.compile(r"(?!(?:true|false|null)$)[A-Za-z](?:[\w./+$=@-]|:(?=\S)|(?<=\S)#)*", re.ASCII | re.IGNORECASE)
"""A text that needs no quotes anywhere."""


def fixes_inside_quotes(found: Sequence[Diagnostic], lines: SourceLines) -> Iterator[Diagnostic]:
    """Yield the diagnostics with edits inside of quotes; the fix of anything but a plain or quoted text is removed."""
    for diagnostic in found:
        if diagnostic.fix:
            edits = [_edit_inside_quotes(edit, lines[edit.span.file][edit.span.line - 1]) for edit in diagnostic.fix]
            yield diagnostic._replace(fix=tuple(edit for edit in edits if edit) if all(edits) else ())
        else:
            yield diagnostic


def _edit_inside_quotes(edit: Edit, line: str) -> Edit | None:
    span = edit.span
    marked_text = line[span.column - 1 : span.end_column - 1]
    if _QUOTED.fullmatch(marked_text):
        inside = span._replace(column=span.column + 1, end_column=span.end_column - 1)
        return edit._replace(span=inside, text=_escaped(edit.text, marked_text[0]))
    if _PLAIN.fullmatch(marked_text):
        return edit if _SAFE.fullmatch(edit.text) else edit._replace(text=f'"{_escaped(edit.text, _DOUBLE)}"')
    return None


def _escaped(text: str, quote: str) -> str:
    if quote == _DOUBLE:
        return text.replace("\\", "\\\\").replace(_DOUBLE, f"\\{_DOUBLE}")
    return text.replace(quote, quote * 2)


class Mended(NamedTuple):
    """One edit that was made."""

    span: Span
    """Where the old text stood."""
    before: str
    """The old text."""
    after: str
    """The new text."""


def apply_edits(data: bytes, edits: Iterable[Edit]) -> tuple[bytes, list[Mended]]:
    """Return the text with its edits, and those that were made; of two that overlap, only the first is made."""
    text = data.decode()
    start = len(_BOM) if text.startswith(_BOM) else 0
    lines = [start, *(match.end() for match in LINE_BREAK.finditer(text))]
    pieces: list[str] = []
    made: list[Mended] = []
    position = 0
    for span, replacement in sorted(set(edits)):
        begin, end = lines[span.line - 1] + span.column - 1, lines[span.end_line - 1] + span.end_column - 1
        if begin >= position:
            pieces += (text[position:begin], replacement)
            made.append(Mended(span, text[begin:end], replacement))
            position = end
    return "".join((*pieces, text[position:])).encode(), made
