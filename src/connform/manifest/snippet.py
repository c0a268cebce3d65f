"""Source lines for diagnostics and diffs, with everything masked that may be a secret.

Layer 1, no IO. It works on the text of one line, because a line that can't be parsed may hold secrets, too. It shows
only what is known to be harmless: indentation, punctuation, plain keys, references that a backend accepts, and the
values of keys that the schema knows and that hold no reference. Values that look generated are always masked. The time
is linear in the length of the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from connform.diagnostics import MASK, Diagnostic, SourceExcerpt, Span
from connform.manifest.harmless import is_identifier, is_plain, is_plain_text
from connform.manifest.source_lines import SourceLines
from connform.secret import looks_generated

MAX_LENGTH = 200
"""How many characters of a line are shown."""
MAX_LINE = 2_000
"""A longer line isn't shown at all, because part of a secret may not look like one."""

_TOKEN = re.compile(
    r"""(?P<space>[\s{}\[\],]++|---(?=\s|$)|-(?=\s|$)|\?(?=\s|$))
      | (?P<key>(?:[A-Za-z0-9_.<-]{1,64}+|"[A-Za-z0-9_.-]{0,64}+"|'[A-Za-z0-9_.-]{0,64}+')\s*+:(?=\s|$))
      | (?P<comment>\#.*)
      | (?P<value>"(?:[^"\\]|\\.?)*+"?|'(?:[^']|'')*+'?|[^,{}\[\]]++)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"\s\#")
_OPENS = re.compile(r"\s*+(?:[{\[#&]|$)")
"""The text behind a key whose value is a collection, or starts on the next line."""
_BLOCK = re.compile(r"[|>][0-9+-]{0,2}")
_ANCHOR = re.compile(r"[&*](?=[A-Za-z])")
_LITERAL = re.compile(r"(?:ref\+)?echo:")
"""A reference of vals that contains the secret itself."""


class Public(NamedTuple):
    """The rules for which parts of a source line may be shown."""

    keys: Collection[str]
    """The keys that the schema knows."""
    shown: Collection[str]
    """Those of them whose values are shown if they are plain words; the values of all other keys are masked."""
    prose: Collection[str]
    """Those of the shown ones whose values are sentences or patterns: these are masked only if they look generated."""
    is_reference: Callable[[str], bool]
    """Whether a text is a secret reference that a backend or store accepts."""


def add_snippets(found: Sequence[Diagnostic], lines: SourceLines, public: Public) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with the source lines that can be shown.

    Args:
        found: diagnostics of these files.
        lines: the lines of the files.
        public: what may be shown of them.
    """

    def show(span: Span, context: str) -> SourceExcerpt | None:
        return _snippet(span, context, lines[span.file], public)

    return tuple(
        diagnostic._replace(
            snippet=show(diagnostic.span, _context(diagnostic.pointer)),
            related=tuple(other._replace(snippet=show(other.span, "")) for other in diagnostic.related),
        )
        for diagnostic in found
    )


def _context(pointer: str) -> str:
    """Return the last key of a pointer, without list indices; for a key that isn't shown, that is its mask."""
    return next((part for part in reversed(pointer.split("/")) if part and not part.isdigit()), "")


def _snippet(span: Span, context: str, lines: list[str], public: Public) -> SourceExcerpt | None:
    if span.line > len(lines) or len(lines[span.line - 1]) > MAX_LINE or not lines[span.line - 1].strip():
        return None
    hidden = (span.column - 1, span.end_column - 1) if context == MASK else (0, 0)
    text, offsets = mask(lines[span.line - 1][: 4 * MAX_LENGTH], public, context, hidden)
    if span.column > len(offsets):
        return None
    start = offsets[span.column - 1]
    end = offsets[min(span.end_column - 1, len(offsets) - 1)] if span.end_line == span.line else len(text)
    text = text[:MAX_LENGTH].rstrip()
    if start > len(text) or not text:
        return None
    return SourceExcerpt(text, start, max(1, min(end, len(text)) - start))


def mask(line: str, public: Public, context: str = "", hidden: tuple[int, int] = (0, 0)) -> tuple[str, list[int]]:
    """Return the line as it may be shown, and for each offset of the line the offset in the result.

    Args:
        line: one line, as it stands in the file.
        public: what may be shown.
        context: the key of the value for a line without a key (`- item`).
        hidden: start and end of a key that must be masked.
    """
    out: list[str] = []
    offsets: list[int] = []
    length = position = 0
    place = _LinePosition(context)
    for kind, text in _tokens(line):
        piece = text
        is_hidden = position < hidden[1] and hidden[0] < position + len(text)
        if kind == "key":
            key = text.rstrip()[:-1].strip().strip("\"'")
            follows = _OPENS.match(line, position + len(text))
            if is_hidden or not (place.may_hold(key, public) and _is_key(key, public, opens=follows is not None)):
                piece = f"{MASK}:"
        elif kind == "comment":
            piece = ""
        elif kind == "value" and (is_hidden or not _is_harmless(text, place, public)):
            piece = MASK
        place.advance(kind, text, public)
        offsets += _offsets(kind, piece, text, length)
        out.append(piece)
        length += len(piece)
        position += len(text)
    return "".join(out), [*offsets, length]


def _offsets(kind: str, piece: str, text: str, start: int) -> Sequence[int]:
    """Return the offset in the result of each character of a token that is shown as `piece`.

    A span of a masked key ends before its colon.
    """
    if len(piece) == len(text):
        return range(start, start + len(text))
    return [start] * (len(text) - 1) + [start + (len(MASK) if kind == "key" else 0)]


def _tokens(line: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens of a line, with their kind: `space`, `key`, `comment` or `value`.

    A value without quotes ends before trailing blanks and comments.
    """
    position = 0
    while position < len(line):
        token = _TOKEN.match(line, position)
        kind, text = (str(token.lastgroup), token[0]) if token else ("value", line[position:])
        if kind == "value" and text[0] not in "\"'":
            comment = _COMMENT.search(text)
            text = (text[: comment.start()] if comment else text).rstrip()
        yield kind, text
        position += len(text)


class _LinePosition:
    """The context of a token in its line: key, brackets and commas before it."""

    def __init__(self, context: str) -> None:
        self.key = context
        """The key of the value that may follow."""
        self.is_behind_comma = False
        """Whether a comma stands between the key and what follows; outside of brackets, it may be part of the value."""
        self._is_first = True
        self._open: list[str] = []
        self._before = "space"

    def may_hold(self, key: str, public: Public) -> bool:
        """Whether a key may stand here; outside of brackets, an unknown second key is part of the first one's value."""
        return self._is_first or bool(self._open) or key in public.keys

    def advance(self, kind: str, text: str, public: Public) -> None:
        """Update the position for a token that was passed."""
        if kind == "key":
            is_value = not (self._is_first or self._open)
            self.key = "" if is_value else text.rstrip()[:-1].strip().strip("\"'")
            self.is_behind_comma = False
        elif kind == "space":
            for sign in re.findall(r"[{}\[\],]", text):
                self._pass(sign, public)
        self._is_first = self._is_first and kind == "space"
        self._before = kind

    def _pass(self, sign: str, public: Public) -> None:
        if sign in "{[":
            # A bracket opens a collection where a value may start; behind a text it is part of that text.
            if self._before != "value":
                self._open.append(sign)
                self.key = self.key if sign == "[" else ""
        elif sign in "}]":
            is_collection = bool(self._open)
            del self._open[-1:]
            self.key = "" if is_collection or sign == "}" else self.key
        elif self._open[-1:] != ["["]:  # in a list, the next item is a value of the same key
            self.is_behind_comma = True
            self.key = "" if self._open or self.key not in public.prose else self.key


def _is_key(key: str, public: Public, *, opens: bool) -> bool:
    """Whether a key may be shown: a known key, a plain name if its value is a collection, or an identifier."""
    if is_plain(key) if opens else is_identifier(key):
        return True
    return key == "<<" or key in public.keys or key.lower().replace("-", "_") in public.keys


def _is_harmless(text: str, place: _LinePosition, public: Public) -> bool:
    bare = text.strip().strip("\"'")
    if ("@" in bare and "://" in bare) or looks_generated(bare) or _LITERAL.match(bare):
        return False
    if place.key in public.prose and not place.is_behind_comma:
        return not re.search(r"[?&;][^\s=]*=", bare)  # perhaps the query of a URL
    if place.key in public.shown:
        return is_plain_text(_ANCHOR.sub("", bare)) or _BLOCK.fullmatch(bare) is not None or public.is_reference(bare)
    return public.is_reference(bare)
