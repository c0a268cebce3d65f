"""Nodes of a YAML document: plain data that knows the source position of each key and value.

Layer 1, no IO.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from connform.diagnostics import Span

if TYPE_CHECKING:
    from yaml import Mark

LINE_BREAK = re.compile("\r?\n")
"""The end of a line, as in editors and Git; text with any other line break of libyaml isn't parsed."""


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, as `LINE_BREAK` splits it, in a quarter of the time."""
    return (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")


_WORD = r"[^ ,\]}#\n]+"
"""A number, `true`, `false` or `null`; an empty value has none."""
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'"
FOLDED = r">- *+(?:(?<= )#[^\n]*+)?\n( ++)([^\n]++(?:\n|\Z)(?:\1[^ \n][^\n]*+(?:\n|\Z))*+)\n*+(?!\1)(?! ++(?:\n|\Z))"
"""The pattern of a folded text, from its `>-`: of its indentation, and its lines without that of the first one."""


class TextPositions:
    """The positions in the text of a simple document, each found when it is asked for. An offset is one in characters."""

    __slots__ = ("_lines", "_text", "name")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        """The name of the file."""
        self._text = text
        self._lines = array("I")

    def end(self, start: int, value: Node) -> int:
        """Return the end of the scalar or key that starts at an offset; that of a collection is its start, as that of an empty value."""
        if isinstance(value, str) and not self._text.startswith((">-", "'", '"'), start):
            return start + len(value)
        if isinstance(value, Map | Seq):
            return start
        pattern = _WORD if not isinstance(value, str) else FOLDED if self._text.startswith(">-", start) else _QUOTED
        found = re.compile(pattern).match(self._text, start)
        return found.end() if found else start

    def start_of_value(self, start: int, key: str) -> int:
        """Return where the value of a key starts, which itself starts at an offset."""
        end = self.end(start, key) + 1
        while self._text.startswith(" ", end):
            end += 1
        return end

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets; an empty one is shown as one character."""
        if not self._lines:
            self._lines = array("I", [0, *(found.end() for found in re.finditer("\n", self._text))])
        line, end_line = bisect_right(self._lines, start), bisect_right(self._lines, end)
        column, end_column = start - self._lines[line - 1], end - self._lines[end_line - 1]
        return Span(self.name, line, column + 1, end_line, end_column + 1 + (start == end))


Marks: TypeAlias = "tuple[TextPositions, int] | tuple[Mark, Mark, Mark, Mark]"
"""Of a simple document, the offset of a key; else the start and the end of the key, and those of its value."""
Node: TypeAlias = "str | int | float | bool | Map | Seq | None"
"""A value of a manifest: plain data, unless its position is asked for."""


class Map(dict[str, Node]):
    """A mapping; `marks` has the position of each key and value, which may be in several files after a merge."""

    __slots__ = ("_marks", "_origin", "key_starts")
    key_starts: array[int]
    """Of a simple document, the offset of each key."""

    def __init__(self, origin: TextPositions | tuple[Map, ...] | None = None) -> None:
        """Make an empty mapping.

        Args:
            origin: the positions of its document, if that is simple, and `key_starts` is filled; or the mappings that it consists of: the
                last one that has a key has its position. `None` if `marks` is filled.
        """
        self._origin = origin
        self._marks: dict[str, Marks] | None = {} if origin is None else None
        if isinstance(origin, TextPositions):
            self.key_starts = array("I")

    @property
    def marks(self) -> dict[str, Marks]:
        """The position of each key and its value; put together when it is first asked for, as for few of many mappings."""
        if self._marks is None:
            if isinstance(self._origin, TextPositions):
                self._marks = {key: (self._origin, start) for key, start in zip(self, self.key_starts, strict=True)}
            else:
                every = {key: mark for part in self._origin or () for key, mark in part.marks.items()}
                self._marks = {key: every[key] for key in self}
        return self._marks

    def file_of(self, key: str) -> str:
        """Return the name of the file in which a key stands."""
        return self._origin.name if isinstance(self._origin, TextPositions) else self.marks[key][0].name

    def key_span(self, key: str) -> Span:
        """Return the span of a key."""
        marks = self.marks[key]
        if len(marks) == 4:  # noqa: PLR2004
            return span_between(marks[0], marks[1])
        positions, start = marks
        return positions.span(start, positions.end(start, key))

    def value_span(self, key: str) -> Span:
        """Return the span of a scalar value; that of the key if the value is a collection or empty."""
        start, end = self.value_offsets(key)
        if start == end or isinstance(self[key], Map | Seq):
            return self.key_span(key)
        marks = self.marks[key]
        return span_between(marks[2], marks[3]) if len(marks) == 4 else marks[0].span(start, end)  # noqa: PLR2004

    def value_offsets(self, key: str) -> tuple[int, int]:
        """Return the offsets in characters at which a value starts and ends."""
        marks = self.marks[key]
        if len(marks) == 4:  # noqa: PLR2004
            return marks[2].index, marks[3].index
        positions, start = marks
        start = positions.start_of_value(start, key)
        return start, positions.end(start, self[key])


class Seq(list[Node]):
    """A sequence; `item_span` has the position of each item."""

    __slots__ = ("_offset", "_positions", "starts")

    def __init__(
        self,
        positions: TextPositions | None = None,
        offset: int = 0,
        starts: Sequence[int] | None = None,
        items: Iterable[Node] = (),
    ) -> None:
        """Take items, and where they are.

        Args:
            positions: those of the document, if it is simple.
            offset: that of the line, if the starts count from there.
            starts: the offset of each item, if the document is simple; else its start and end, `None` for a collection.
            items: the items.
        """
        super().__init__(items)
        self.starts: Any = [] if starts is None else starts
        self._offset = offset
        self._positions = positions

    def item_span(self, index: int) -> Span:
        """Return the span of an item that isn't a collection."""
        if self._positions is None:
            return span_between(*self.starts[index])
        start = self._offset + self.starts[index]
        return self._positions.span(start, self._positions.end(start, self[index]))


def locate(root: Map, path: tuple[str | int, ...], root_span: Span, *, at_key: bool = False) -> Span:
    """Return the span of the value at a path, or else of the nearest value around it; of a mapping in a list, its first key.

    Args:
        root: the tree.
        path: keys and indices from the root.
        root_span: the span of the root itself.
        at_key: whether to return the span of the key instead.
    """
    here: object = root
    owner: Map | Seq | None = None
    place: Any = None
    is_key = False
    for depth, part in enumerate(path):
        if isinstance(here, Map) and isinstance(part, str) and part in here.marks:
            owner, place, is_key = here, part, at_key and depth == len(path) - 1
            here = here[part]
        elif isinstance(here, Seq) and isinstance(part, int) and part < len(here):
            item = here[part]
            if isinstance(item, Map) and item.marks:
                owner, place, is_key = item, next(iter(item.marks)), True
            elif not isinstance(item, Map | Seq):
                owner, place = here, part
            here = item
        else:
            break
    if owner is None:
        return root_span
    if isinstance(owner, Seq):
        return owner.item_span(place)
    return owner.key_span(place) if is_key else owner.value_span(place)


def span_between(start: Mark, end: Mark) -> Span:
    """Return the span between two marks; an empty one is shown as one character."""
    width = start.index == end.index
    return Span(start.name, start.line + 1, start.column + 1, end.line + 1, end.column + 1 + width)


def span_at(start: Mark) -> Span:
    """Return the span of the character at a mark."""
    return Span(start.name, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
