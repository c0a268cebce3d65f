"""Nodes of a YAML document: plain data that knows the source position of each key and value.

Layer 1, no IO.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from connform.diagnostics import Span

if TYPE_CHECKING:
    from yaml import Mark

LINE_BREAK = re.compile("\r?\n")
"""The end of a line, as in editors and Git; text with any other line break of libyaml isn't parsed."""


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, as `LINE_BREAK` splits it, in a quarter of the time."""
    return (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")


Marks: TypeAlias = "tuple[Mark, Mark, Mark, Mark]"
"""Start and end of a key, start and end of its value."""
Node: TypeAlias = "str | int | float | bool | Map | Seq | None"
"""A value of a manifest: plain data, unless its position is asked for."""


class Map(dict[str, Node]):
    """A mapping; `marks` has the position of each key and value, which may be in several files after a merge."""

    __slots__ = ("marks", "start")

    def __init__(self, start: Mark) -> None:
        self.start = start
        self.marks: dict[str, Marks] = {}

    def key_span(self, key: str) -> Span:
        """Return the span of a key."""
        return span_between(*self.marks[key][:2])

    def value_span(self, key: str) -> Span:
        """Return the span of a scalar value; that of the key if the value is a collection or empty."""
        _, _, start, end = self.marks[key]
        if isinstance(self[key], Map | Seq) or start.index == end.index:
            return self.key_span(key)
        return span_between(start, end)


class Seq(list[Node]):
    """A sequence; `marks` has the start and the end of each item by turns."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: list[Mark] = []

    def item_span(self, index: int) -> Span:
        """Return the span of an item."""
        return span_between(*self.marks[2 * index : 2 * index + 2])


def locate(root: Map, path: tuple[str | int, ...], root_span: Span, *, at_key: bool = False) -> Span:
    """Return the span of the value at a path, or else of the nearest value around it; of a mapping in a list, its first key.

    Args:
        root: the tree.
        path: keys and indices from the root.
        root_span: the span of the root itself.
        at_key: whether to return the span of the key instead.
    """
    here: object = root
    found = root_span
    for depth, part in enumerate(path):
        if isinstance(here, Map) and isinstance(part, str) and part in here.marks:
            last = depth == len(path) - 1
            found = here.key_span(part) if last and at_key else here.value_span(part)
            here = here[part]
        elif isinstance(here, Seq) and isinstance(part, int) and part < len(here):
            item = here[part]
            if isinstance(item, Map) and item.marks:
                found = item.key_span(next(iter(item.marks)))
            elif not isinstance(item, Map | Seq):
                found = here.item_span(part)
            here = item
        else:
            break
    return found


def span_between(start: Mark, end: Mark) -> Span:
    """Return the span between two marks; an empty one is shown as one character."""
    width = start.index == end.index
    return Span(start.name, start.line + 1, start.column + 1, end.line + 1, end.column + 1 + width)


def span_at(start: Mark) -> Span:
    """Return the span of the character at a mark."""
    return Span(start.name, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
