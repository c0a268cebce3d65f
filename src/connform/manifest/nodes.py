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
from connform.manifest.text import Mistake, decode, odd_blank, without_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml import Mark

MAX_DEPTH: Final = 64
MAX_SCALAR_CHARACTERS: Final = 65_536
MAX_DUPLICATES: Final = 500
"""How many keys that stand twice are told with their places; more are only counted."""
MAX_ALIAS_NODES: Final = 100_000
"""How many nodes aliases may add, beyond ten for each node that is written out."""

LINE_BREAK: Final = re.compile("\r?\n")
"""The end of a line, as for editors and Git; what else libyaml takes for one is refused before it sees the text."""


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, as `LINE_BREAK` splits it, in a quarter of the time."""
    return (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")


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
        self.key = ""
        """The key whose value it is, where that matters."""
        self.reference = ""
        """Our reference to the secret that is meant, if one is."""


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
    text, unreadable = decode(data)
    if unreadable:
        raise _refusal(unreadable, text, name)
    builder = _Builder(data, text, name)
    try:
        return builder.document(), builder.duplicates
    except yaml.MarkedYAMLError as error:
        raise _refusal(_explained(error, text), text, name) from None


class NotYamlError(Exception):
    """The text is not YAML that connform accepts."""


def scalar_extents(data: bytes) -> Iterator[Extent]:
    """Yield the start and the end of each scalar's text.

    Raises:
        NotYamlError: the text is not YAML, from here on.
    """
    if decode(data)[1]:
        raise NotYamlError
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

    def __init__(self, data: bytes, text: str, name: str) -> None:
        stand_in = without_surrogates(text)
        stream = BytesIO(data if stand_in is text else stand_in.encode())
        stream.name = name  # every mark then carries its file's name
        self._text = text
        self._name = name
        self._next: Callable[[], Any] = CParser(stream).get_event
        if stand_in is not text:
            self._next = _with_surrogates(self._next, text)
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
            rest = self._text[extra.start_mark.index :]
            raise YamlError("multiple-documents", _about_document(root, rest), _span(extra.start_mark, extra.end_mark))
        return root

    def _root(self) -> Map | None:
        event = self._next()
        _refuse_tag(event)
        start = event.start_mark
        if isinstance(event, yaml.MappingStartEvent):
            return self._tree(Map(start))
        if isinstance(event, yaml.ScalarEvent) and not event.style and _resolve(event.value) is None:
            return None
        if isinstance(event, yaml.ScalarEvent) and not event.style:
            from connform.manifest.syntax_block import without_colon

            self._raise(without_colon(self._text, start.index))
        detail = "a mapping belongs here, which starts with `version: 1`"
        raise YamlError("wrong-type", detail, _character(start))

    def _tree(self, root: Map) -> Map:
        here: Map | Seq = root
        stack: list[tuple[Map | Seq, str | None, int]] = []
        key: str | None = None
        key_event = None
        value: Node
        next_event = self._next
        text = self._text
        has_question_marks = "?" in text
        while True:
            event = next_event()
            kind = type(event)
            opened: Map | Seq | None = None
            if kind is yaml.ScalarEvent:
                if event.tag is not None:
                    _refuse_tag(event)
                if len(event.value) > MAX_SCALAR_CHARACTERS:
                    detail = f"at most {MAX_SCALAR_CHARACTERS} characters are allowed"
                    raise YamlError("yaml-scalar-too-long", detail, _character(event.start_mark))
                value = event.value if event.style else _resolve(event.value)
                if not event.style and not event.value.isascii():
                    is_key = key is None and type(here) is Map
                    self._raise(odd_blank(self._text, event.start_mark.index, event.value, is_key=is_key))
                if key is None and type(here) is Map:
                    if (":" in event.value or "=" in event.value) and not event.style:
                        self._refuse_glued(event)
                    if has_question_marks and text[(place := event.start_mark.index) - 1 : place] == "?":
                        self._raise(Mistake("yaml-syntax", _QUESTION_MARK, place - 1, place))
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
                raise self._not_a_key(event)
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
            detail = (
                "no anchor of that name stands above it, or the alias lies inside of its own anchor: "
                "define it above, or put a text that begins with `*` into quotes"
            )
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

    def _not_a_key(self, event: Event) -> YamlError:
        from connform.manifest.other_syntax import template_around

        start = event.start_mark
        if found := template_around(self._text, start.index):
            return _refusal(found, self._text, self._name)
        detail = "a list, a mapping or an alias can't be a key: write a name, in quotes if it holds brackets"
        return YamlError("yaml-key", detail, _character(start))

    def _raise(self, mistake: Mistake | None) -> None:
        if mistake:
            raise _refusal(mistake, self._text, self._name)

    def _refuse_glued(self, event: Event) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if self._text[end : end + 1] != ":" or _BEGINS_VALUE.search(event.value):
            from connform.manifest.syntax_block import glued_key

            self._raise(glued_key(self._text, start, end))

    def _duplicate(self, here: Map, key: str, event: Event) -> None:
        if len(self.duplicates) == MAX_DUPLICATES:
            self.duplicates.more += 1
            return
        detail = "a mapping has each key once: remove or rename one of the two"
        error = YamlError("duplicate-key", detail, _span(event.start_mark, event.end_mark), here.key_span(key))
        self.duplicates.append(error)


def _refuse_tag(event: Event) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        from connform.manifest.other_syntax import about_tag

        raise YamlError("yaml-tag", about_tag(tag), _character(event.start_mark))


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


def _character(start: Mark) -> Span:
    return Span(start.name, start.line + 1, start.column + 1, start.line + 1, start.column + 2)


_QUESTION_MARK: Final = "a `?` stands before this key, which some readers take for a part of it: remove it"
_BEGINS_VALUE: Final = re.compile(r":[\[{\"']")
_EMPTY: Final = re.compile(r"(?:---|\.\.\.|\s++|#[^\n]*+)*+")


def _about_document(root: Map | None, rest: str) -> str:
    """Return what to do about a second document, which `rest` starts with."""
    if root is None:
        return "the document above this `---` is empty: remove one of the two `---`"
    if _EMPTY.fullmatch(rest):
        return "nothing follows this `---`: remove it"
    return "one file holds one document: move what follows `---` into a file of its own"


def _with_surrogates(get_event: Callable[[], Any], text: str) -> Callable[[], Any]:
    """Return `get_event` with the texts of a JSON document as they were before `without_surrogates`."""
    import json

    def get() -> Any:
        event: Event = get_event()
        kind = type(event)
        if kind is yaml.ScalarEvent and event.style == '"':
            start, end = event.start_mark, event.end_mark
            event.value = json.loads(text[start.index : end.index])
        return event

    return get


def _explained(error: yaml.MarkedYAMLError, text: str) -> Mistake:
    from connform.manifest.syntax import explain  # only mistakes need it
    from connform.manifest.syntax_failure import Failure

    problem: Any = error.problem_mark  # the C parser sets it
    context: Any = error.context_mark or problem
    at, since = problem.index, context.index
    before, bracket = _before(text, at)
    return explain(Failure(text, error.problem or "", at, since, before, bracket))


def _before(text: str, at: int) -> tuple[tuple[int, int, str], int]:
    """Return the last scalar before a place, and the innermost bracket that is open there or -1."""
    parser = CParser(without_surrogates(text))
    last, brackets = (0, 0, ""), [-1]
    try:
        while parser.check_token():
            token: Any = parser.get_token()
            start, end = token.start_mark.index, token.end_mark.index
            if end > at:
                break
            if isinstance(token, yaml.ScalarToken):
                last = (start, end, token.style if token.style in ("'", '"') else "")
            elif isinstance(token, yaml.FlowMappingStartToken | yaml.FlowSequenceStartToken):
                brackets.append(start)
            elif isinstance(token, yaml.FlowMappingEndToken | yaml.FlowSequenceEndToken) and brackets[1:]:
                brackets.pop()
    except yaml.YAMLError:
        pass  # the mistake itself
    return last, brackets[-1]


def _refusal(mistake: Mistake, text: str, name: str) -> YamlError:
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
