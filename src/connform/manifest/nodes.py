"""Turns the bytes of a YAML file into plain data that knows where each of its keys and values stands.

Layer 1, no IO. Works on the events of PyYAML's C parser: `yaml.compose` would build a second tree, and
crashes the interpreter on deep nesting. Scalars follow the YAML 1.2 core schema (`no`, `on`, `yes` are text).
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml
from yaml._yaml import CParser

from connform.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml import Mark

MAX_DEPTH: Final = 64
MAX_SCALAR_CHARACTERS: Final = 65_536
MAX_DUPLICATES: Final = 500
"""How many keys that stand twice are told with their places; more are only counted."""
MAX_ALIAS_NODES: Final = 100_000
"""How many nodes aliases may add, beyond ten for each node that is written out."""

LINE_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What libyaml counts as the end of a line (YAML 1.1 §4.2)."""

Event: TypeAlias = Any
"""An event of the parser; the stubs call its marks optional, but the C parser sets each."""
Marks: TypeAlias = "tuple[Mark, Mark, Mark, Mark]"
"""Start and end of a key, start and end of its value."""
Place: TypeAlias = tuple[int, int]
"""Line and column, 0-based."""
Extent: TypeAlias = tuple[Place, Place]
"""Start and end."""
Node: TypeAlias = "str | int | float | bool | Map | Seq | None"
"""A value of a manifest: plain data to everybody who doesn't ask for its place."""


class Map(dict[str, Node]):
    """A mapping; `marks` has the place of each key and value, which may lie in several files after a merge."""

    __slots__ = ("marks", "start")

    def __init__(self, start: Mark) -> None:
        self.start = start
        self.marks: dict[str, Marks] = {}

    def key_span(self, key: str) -> Span:
        """Return the place of a key."""
        return _span(*self.marks[key][:2])

    def value_span(self, key: str) -> Span:
        """Return the place of a scalar value; the key's where the value is a collection or empty."""
        _, _, start, end = self.marks[key]
        if isinstance(self[key], Map | Seq) or start.index == end.index:
            return self.key_span(key)
        return _span(start, end)


class Seq(list[Node]):
    """A sequence; `marks` has the start of each item and, behind it, its end."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: list[Mark] = []

    def item_span(self, index: int) -> Span:
        """Return the place of an item."""
        return _span(*self.marks[2 * index : 2 * index + 2])


def locate(root: Map, path: tuple[str | int, ...], whole: Span, *, at_key: bool = False) -> Span:
    """Return the place of the value at a path, or of the nearest thing above it that has one.

    Args:
        root: the tree.
        path: keys and indices from the root.
        whole: the place of the root itself.
        at_key: the key's place instead of the value's.
    """
    here: object = root
    found = whole
    for depth, part in enumerate(path):
        if isinstance(here, Map) and isinstance(part, str) and part in here.marks:
            last = depth == len(path) - 1
            found = here.key_span(part) if last and at_key else here.value_span(part)
            here = here[part]
        elif isinstance(here, Seq) and isinstance(part, int) and part < len(here):
            found = here.item_span(part) if not isinstance(here[part], Map | Seq) else found
            here = here[part]
        else:
            break
    return found


class Duplicates(list["YamlError"]):
    """The keys that stand twice."""

    more = 0
    """How many there are beyond those that are listed."""


class YamlError(Exception):
    """The text is not YAML that connform accepts."""

    def __init__(self, code: str, detail: str, span: Span, first: Span | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.span = span
        self.first = first
        """The first place, of a key that stands twice."""


def _span(start: Mark, end: Mark) -> Span:
    width = start.index == end.index  # what is empty is shown as one character
    return Span(start.name, start.line + 1, start.column + 1, end.line + 1, end.column + 1 + width)


def parse(data: bytes, name: str) -> tuple[Map | None, Duplicates]:
    """Return the mapping that `data` holds, and every key that stands twice in it.

    Args:
        data: a YAML document in UTF-8.
        name: the file's name in places.

    Raises:
        YamlError: what ends the parse: syntax, a tag, too deep, an alias bomb, more than one document, …
    """
    _require_utf8(data, name)
    builder = _Builder(data, name)
    try:
        return builder.document(), builder.duplicates
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, name, data) from None
    except yaml.reader.ReaderError as error:
        detail = "a control character stands here; YAML allows none but tab and line breaks"
        raise YamlError("yaml-syntax", detail, _span_at(data, error.position, name)) from None


class NotYamlError(Exception):
    """The text is not YAML."""


def scalar_extents(data: bytes) -> Iterator[Extent]:
    """Yield the start and the end of each scalar's text.

    Raises:
        NotYamlError: the text is not YAML, from here on.
    """
    parser = CParser(data)
    try:
        while parser.check_event():
            event: Event = parser.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                start, end = event.start_mark, event.end_mark
                begin = (start.line + 1, 0) if event.style in ("|", ">") else (start.line, start.column)
                yield begin, (end.line, end.column)
    except yaml.YAMLError:
        raise NotYamlError from None


class _Builder:
    """One pass over the events of one document, without recursion."""

    def __init__(self, data: bytes, name: str) -> None:
        stream = BytesIO(data)
        stream.name = name  # every mark then carries its file's name
        self._next: Callable[[], Any] = CParser(stream).get_event
        self.duplicates = Duplicates()
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._heights: dict[int, tuple[Node, int]] = {}
        self._size = 0
        self._aliased = 0

    def document(self) -> Map | None:
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        root = self._root()
        self._next()  # the end of the document
        extra = self._next()
        if not isinstance(extra, yaml.StreamEndEvent):
            detail = "one file holds one manifest: move what follows `---` into a file of its own"
            raise YamlError("multiple-documents", detail, _span(extra.start_mark, extra.end_mark))
        return root

    def _root(self) -> Map | None:
        event = self._next()
        _refuse_tag(event)
        start = event.start_mark
        if isinstance(event, yaml.MappingStartEvent):
            return self._tree(Map(start))
        if isinstance(event, yaml.ScalarEvent) and not event.style and _resolve(event.value) is None:
            return None
        detail = "a manifest is a mapping that starts with `version: 1`"
        raise YamlError("wrong-type", detail, _character(start))

    def _tree(self, root: Map) -> Map:
        here: Map | Seq = root
        stack: list[tuple[Map | Seq, str | None, int]] = []
        key: str | None = None
        key_event = None
        value: Node
        next_event = self._next
        while True:
            event = next_event()
            kind = type(event)
            opened: Map | Seq | None = None
            if kind is yaml.ScalarEvent:
                if event.tag is not None:
                    _refuse_tag(event)
                value = event.value if event.style else _resolve(event.value)
                if len(event.value) > MAX_SCALAR_CHARACTERS:
                    detail = f"at most {MAX_SCALAR_CHARACTERS} characters are allowed"
                    raise YamlError("yaml-scalar-too-long", detail, _character(event.start_mark))
                if key is None and type(here) is Map:
                    key, key_event = event.value, event
                    if key in here:
                        self._duplicate(here, key, event)
                    continue
                if event.anchor:
                    self._anchors[event.anchor] = (value, 1)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                if not stack:
                    return root
                finished = here
                here, anchor, size_before = stack.pop()
                if anchor:
                    self._anchors[anchor] = (finished, self._size - size_before)
                    self._heights[id(finished)] = (finished, self._height(finished))
                key = None
                continue
            elif key is None and type(here) is Map:
                raise YamlError(
                    "yaml-key", "a list, a mapping or an alias can't be a key", _character(event.start_mark)
                )
            elif kind is yaml.AliasEvent:
                value = self._alias(event, len(stack))
            else:
                _refuse_tag(event)
                if len(stack) >= MAX_DEPTH:
                    detail = f"at most {MAX_DEPTH} levels are allowed"
                    raise YamlError("yaml-too-deep", detail, _character(event.start_mark))
                value = opened = Map(event.start_mark) if kind is yaml.MappingStartEvent else Seq()
                stack.append((here, event.anchor, self._size))
            self._size += 1
            if type(here) is Map:
                here[key] = value  # type: ignore[index]  # a value follows its key
                here.marks[key] = (key_event.start_mark, key_event.end_mark, event.start_mark, event.end_mark)  # type: ignore[index,union-attr]  # the same
            else:
                here.append(value)  # type: ignore[union-attr]  # not a Map, so a Seq
                here.marks.extend((event.start_mark, event.end_mark))  # type: ignore[union-attr]  # the same
            key = None
            if opened is not None:
                here = opened

    def _height(self, node: Node) -> int:
        """Return how many levels of mappings and lists a value has, itself included."""
        if not isinstance(node, Map | Seq):
            return 0
        if id(node) in self._heights:  # as each alias has
            return self._heights[id(node)][1]
        return 1 + max(map(self._height, node.values() if isinstance(node, Map) else node), default=0)

    def _alias(self, event: Event, depth: int) -> Node:
        value, size = self._anchors.get(event.anchor, (None, 0))
        if not size:
            detail = "no anchor of that name stands above it, or the alias lies inside of its own anchor"
            raise YamlError("yaml-alias", detail, _span(event.start_mark, event.end_mark))
        if depth + self._height(value) > MAX_DEPTH:
            detail = f"at most {MAX_DEPTH} levels are allowed, those of an alias included"
            raise YamlError("yaml-too-deep", detail, _span(event.start_mark, event.end_mark))
        self._size += size
        self._aliased += size
        if self._aliased > MAX_ALIAS_NODES + 10 * (self._size - self._aliased):
            detail = "aliases multiply the content too often; use `templates:` and `extends:` to share settings"
            raise YamlError("yaml-alias", detail, _span(event.start_mark, event.end_mark))
        return value

    def _duplicate(self, here: Map, key: str, event: Event) -> None:
        if len(self.duplicates) == MAX_DUPLICATES:
            self.duplicates.more += 1
            return
        detail = "a mapping has each key once: remove or rename one of the two"
        error = YamlError("duplicate-key", detail, _span(event.start_mark, event.end_mark), here.key_span(key))
        self.duplicates.append(error)


def _refuse_tag(event: Event) -> None:
    if getattr(event, "tag", None) is not None:
        detail = "types follow from the schema: remove the tag (`!…`), and quote a text that looks like a number"
        raise YamlError("yaml-tag", detail, _character(event.start_mark))


_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, Node]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAX_DIGITS: Final = 20
"""A longer run of digits stays text: no setting is that large, and Python refuses to convert 5,000 of them."""


def _resolve(text: str) -> Node:
    """Give a plain scalar its type (YAML 1.2 §10.3.2; `.inf` and `.nan`, which JSON lacks, stay text)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and len(text) <= _MAX_DIGITS:
        if _INTEGER.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _require_utf8(data: bytes, name: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = "save the file as UTF-8; this byte belongs to another encoding"
        raise YamlError("not-utf8", detail, _span_at(data, error.start, name)) from None


def _span_at(data: bytes, offset: int, name: str) -> Span:
    """Return the place of the character at a byte offset."""
    lines = LINE_BREAK.split(data[:offset].decode("utf-8-sig", "replace"))
    line, column = len(lines), len(lines[-1]) + 1
    return Span(name, line, column, line, column + 1)


def _character(start: Mark) -> Span:
    return Span(start.name, start.line + 1, start.column + 1, start.line + 1, start.column + 2)


_ADVICE: Final = {
    "found character that cannot start any token": "this character can't start a value: put the text into quotes",
    "mapping values are not allowed in this context": (
        "a second `: ` stands here: indent the line like its neighbours, or quote the text before it"
    ),
    "did not find expected key": "the line is indented otherwise than its neighbours, or a quote or bracket is missing",
    "could not find expected ':'": "a key needs `: ` behind it: `key: value`",
    "did not find expected ',' or ']'": "a list in brackets needs `,` between its items and `]` at its end",
    "did not find expected ',' or '}'": "a mapping in braces needs `,` between its entries and `}` at its end",
    "did not find expected node content": "a value is missing here, or a bracket that was opened is never closed",
    "found unexpected end of stream": "a quote or a bracket that was opened is never closed",
    "did not find expected '-' indicator": "the line is indented otherwise than the list that it stands in",
}
"""What libyaml says → what to do."""


def _syntax_error(error: yaml.MarkedYAMLError, name: str, data: bytes) -> YamlError:
    lines = LINE_BREAK.split(data.decode("utf-8-sig"))
    lines = lines[:-1] if lines[1:] and not lines[-1] else lines
    mark = error.problem_mark
    if error.context_mark and (mark is None or (mark.line, mark.column) >= (len(lines) - 1, len(lines[-1]))):
        mark = (
            error.context_mark
        )  # the end of the file helps nobody: the quote or bracket that it should have closed does
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    span = Span(name, line + 1, column + 1, line + 1, column + 2)
    indent = lines[line][: column + 1] if line < len(lines) else ""
    if "\t" in indent and not indent.strip(" \t"):
        column = indent.index("\t")
        span = Span(name, line + 1, column + 1, line + 1, column + 2)
        return YamlError("yaml-tab", "indent with spaces", span)
    problem = error.problem or "not YAML"
    return YamlError("yaml-syntax", _ADVICE.get(problem, problem), span)
