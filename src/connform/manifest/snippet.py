"""Turns a source line into one that may be shown: whatever might be a secret is masked.

Layer 1, no IO. Works on the text of the line alone, since a line that doesn't parse holds secrets too. Nothing is
shown but what is known to be harmless: indentation, punctuation, the first key of a line and further known ones,
well-formed references, and the values of keys that the schema knows and doesn't type as a reference; of these,
nothing that looks like a generated key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from connform.diagnostics import MASK, Snippet
from connform.secret import PATTERN, looks_generated

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from connform.diagnostics import Diagnostic, Span
    from connform.manifest.source_lines import SourceLines

MAX_LENGTH: Final = 200
"""How much of a line is shown."""
MAX_LINE: Final = 2_000
"""A longer line isn't shown at all: cut off, a secret might no longer look like one."""

_TOKEN: Final = re.compile(
    r"""(?P<space>[\s{}\[\],]+|---(?=\s|$)|-(?=\s|$)|\?(?=\s|$))
      | (?P<key>(?:[A-Za-z0-9_.<-]{1,64}|"[A-Za-z0-9_.-]{0,64}"|'[A-Za-z0-9_.-]{0,64}')\s*:(?=\s|$))
      | (?P<comment>\#.*)
      | (?P<value>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,{}\[\]][^,{}\[\]]*?(?=\s+\#|\s*[,{}\[\]]|\s*$))""",
    re.VERBOSE,
)
_REFERENCE: Final = re.compile(PATTERN)
_HOLDS_THE_VALUE: Final = re.compile(r"(?:ref\+)?echo:")
"""A reference of vals whose path is the secret itself."""


def add_snippets(
    found: Sequence[Diagnostic], lines: SourceLines, known: Collection[str], shown: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with the source lines that can be shown.

    Args:
        found: diagnostics of these files.
        lines: the lines of the files.
        known: the keys of manifests.
        shown: those of them whose values may be shown; the values of all other keys are masked.
    """

    def show(span: Span, context: str) -> Snippet | None:
        return _snippet(span, context, lines[span.file], known, shown)

    return tuple(
        one._replace(
            snippet=show(one.span, _context(one.pointer)),
            related=tuple(other._replace(snippet=show(other.span, "")) for other in one.related),
        )
        for one in found
    )


def _context(pointer: str) -> str:
    """Return the last key of a pointer: that of the value, or of the list that it stands in."""
    return next((part for part in reversed(pointer.split("/")) if part and not part.isdigit()), "")


def _snippet(
    span: Span, context: str, lines: list[str], known: Collection[str], shown: Collection[str]
) -> Snippet | None:
    if span.line > len(lines) or len(lines[span.line - 1]) > MAX_LINE or not lines[span.line - 1].strip():
        return None
    text, offsets = mask(lines[span.line - 1][: 4 * MAX_LENGTH], known, shown, context)
    if span.column > len(offsets):
        return None
    start = offsets[span.column - 1]
    end = offsets[min(span.end_column - 1, len(offsets) - 1)] if span.end_line == span.line else len(text)
    text = text[:MAX_LENGTH].rstrip()
    if start > len(text) or not text:
        return None
    return Snippet(text, start, max(1, min(end, len(text)) - start))


def mask(line: str, known: Collection[str], shown: Collection[str], context: str) -> tuple[str, list[int]]:
    """Return the line as it may be shown, and for each offset of the line the offset in the result.

    Args:
        line: one line, as it stands in the file.
        known: the keys of manifests.
        shown: those of them whose values may be shown.
        context: the key under which a line without one (`- item`) stands.
    """
    out = ""
    offsets: list[int] = []
    key = context
    position = flow = 0
    before = "space"
    while position < len(line):
        token = _TOKEN.match(line, position)
        kind = token.lastgroup if token else "value"
        text = token[0] if token and token[0] else line[position:]
        piece = text
        if kind == "key":
            first = not out.strip(" \t-?{[")
            key = text.rstrip()[:-1].strip().strip("\"'")
            if looks_generated(key) or not (first or flow or key in known):
                piece = f"{MASK}:"
            if not (first or flow):
                key = ""  # outside of braces, what looks like a second key is part of the first one's value
        elif kind == "comment":
            piece = ""
        elif kind == "value" and not _harmless(text, key, shown):
            piece = MASK
        elif kind == "space":
            # A bracket opens a flow collection where a value may start; behind a text it is part of that text.
            flow = max(0, flow + (before != "value") * len(re.findall(r"[{[]", text)) - len(re.findall(r"[}\]]", text)))
            key = "" if "}" in text else key
        before = str(kind)
        same = len(piece) == len(text)
        offsets += [len(out) + (offset if same else 0) for offset in range(len(text))]
        out += piece
        position += len(text)
    return out, [*offsets, len(out)]


def _harmless(text: str, key: str, shown: Collection[str]) -> bool:
    bare = text.strip().strip("\"'")
    if "@" in bare and "://" in bare:
        return False  # perhaps a URL with credentials inside
    if looks_generated(bare) or _HOLDS_THE_VALUE.match(bare):
        return False
    return key in shown or _REFERENCE.search(bare) is not None
