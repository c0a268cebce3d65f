"""Parser of any YAML: builds the tree of nodes from the events of libyaml.

Layer 1, no IO. `yaml.compose` isn't used: it would build a second tree, and it crashes the interpreter on deep nesting.
"""

from __future__ import annotations

import re

from connform.manifest.core_schema import resolve
from connform.manifest.libyaml import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    event_reader,
    explain_error,
)
from connform.manifest.nodes import Map, Node, Seq, span_at, span_between
from connform.manifest.text import Mistake, unusual_blank
from connform.manifest.yaml_errors import (
    MAX_SCALAR_CHARACTERS,
    Duplicates,
    YamlError,
    about_document,
    scalar_too_long,
    yaml_error,
)

MAX_DEPTH = 64
MAX_DUPLICATES = 500
"""How many duplicate keys are listed with their positions; further ones are only counted."""
MAX_ALIAS_NODES = 100_000
"""How many nodes aliases may add, beyond ten for each node that is written out."""
_QUESTION_MARK = "a `?` stands before this key, which some readers take for a part of it: remove it"
_BEGINS_VALUE = re.compile(r":[\[{\"']")


def build(data: bytes, text: str, name: str) -> tuple[Map | None, Duplicates]:
    """Return the mapping of a document, and the errors of its duplicate keys.

    Args:
        data: a YAML document in UTF-8.
        text: the same, decoded.
        name: the file's name, for positions.

    Raises:
        YamlError: any other mistake: syntax, a tag, too deep nesting, too many aliases, several documents, …
    """
    builder = _Builder(data, text, name)
    try:
        return builder.document(), builder.duplicates
    except MarkedYAMLError as error:
        raise yaml_error(explain_error(error, text), text, name) from None


class _Builder:
    """Builds the tree of one document in one pass over its events, without recursion."""

    def __init__(self, data: bytes, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._next = event_reader(data, text, name)
        self.duplicates = Duplicates()
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._heights: dict[int, tuple[Node, int]] = {}
        self._size = 0
        self._aliased = 0

    def document(self) -> Map | None:
        self._next()  # the start of the stream
        if isinstance(self._next(), StreamEndEvent):
            return None
        root = self._root()
        self._next()  # the end of the document
        extra = self._next()
        if not isinstance(extra, StreamEndEvent):
            rest = self._text[extra.start_mark.index :]
            raise YamlError(
                "multiple-documents", about_document(root, rest), span_between(extra.start_mark, extra.end_mark)
            )
        return root

    def _root(self) -> Map | None:
        event = self._next()
        _refuse_tag(event)
        start = event.start_mark
        if isinstance(event, MappingStartEvent):
            return self._tree(Map())
        if isinstance(event, ScalarEvent) and not event.style and resolve(event.value) is None:
            return None
        if isinstance(event, ScalarEvent) and not event.style:
            from connform.manifest.syntax_block import missing_colon

            self._raise_if(missing_colon(self._text, start.index))
        raise YamlError("wrong-type", "a mapping belongs here, which starts with `version: 1`", span_at(start))

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
            if kind is ScalarEvent:
                if event.tag is not None:
                    _refuse_tag(event)
                if len(event.value) > MAX_SCALAR_CHARACTERS:
                    raise scalar_too_long(span_at(event.start_mark))
                value = event.value if event.style else resolve(event.value)
                if not event.style and not (event.value.isascii() or event.value.isprintable()):
                    is_key = key is None and type(here) is Map
                    self._raise_if(unusual_blank(self._text, event.start_mark.index, event.value, is_key=is_key))
                if key is None and type(here) is Map:
                    if (":" in event.value or "=" in event.value) and not event.style:
                        self._refuse_missing_space(event)
                    if has_question_marks and text[(place := event.start_mark.index) - 1 : place] == "?":
                        self._raise_if(Mistake("yaml-syntax", _QUESTION_MARK, place - 1, place))
                    key, key_event = event.value, event
                    if key in here:
                        self._duplicate(here, key, event)
                    continue
                if event.anchor:
                    self._anchors[event.anchor] = (value, 1)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
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
            elif kind is AliasEvent:
                value = self._alias(event, len(stack))
            else:
                _refuse_tag(event)
                if len(stack) >= MAX_DEPTH:
                    detail = f"at most {MAX_DEPTH} levels are allowed"
                    raise YamlError("yaml-too-deep", detail, span_at(event.start_mark))
                value = opened = Map() if kind is MappingStartEvent else Seq()
                stack.append((here, event.anchor, self._size))
            self._size += 1
            if type(here) is Map:
                here[key] = value  # type: ignore[index]  # a value follows its key
                here.marks[key] = (key_event.start_mark, key_event.end_mark, event.start_mark, event.end_mark)  # type: ignore[index,union-attr]  # the same
            else:
                here.append(value)  # type: ignore[union-attr]  # not a Map, so a Seq
                place = None if opened is not None else (event.start_mark, event.end_mark)  # marks are large
                here.starts.append(place)  # type: ignore[union-attr]  # the same
            key = None
            if opened is not None:
                here = opened

    def _height(self, node: Node) -> int:
        """Return how many levels of mappings and lists a value has; a list of texts has one."""
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
            raise YamlError("yaml-alias", detail, span_between(event.start_mark, event.end_mark))
        if depth + self._height(value) > MAX_DEPTH:
            detail = f"at most {MAX_DEPTH} levels are allowed, those of an alias included"
            raise YamlError("yaml-too-deep", detail, span_between(event.start_mark, event.end_mark))
        self._size += size
        self._aliased += size
        if self._aliased > MAX_ALIAS_NODES + 10 * (self._size - self._aliased):
            detail = "aliases multiply the content too often; use `templates:` and `extends:` to share settings"
            raise YamlError("yaml-alias", detail, span_between(event.start_mark, event.end_mark))
        return value

    def _not_a_key(self, event: Event) -> YamlError:
        from connform.manifest.other_syntax import template_around

        start = event.start_mark
        if found := template_around(self._text, start.index):
            return yaml_error(found, self._text, self._name)
        detail = "a list, a mapping or an alias can't be a key: write a name, in quotes if it holds brackets"
        return YamlError("yaml-key", detail, span_at(start))

    def _raise_if(self, mistake: Mistake | None) -> None:
        if mistake:
            raise yaml_error(mistake, self._text, self._name)

    def _refuse_missing_space(self, event: Event) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if self._text[end : end + 1] != ":" or _BEGINS_VALUE.search(event.value):
            from connform.manifest.syntax_block import key_without_space

            self._raise_if(key_without_space(self._text, start, end))

    def _duplicate(self, here: Map, key: str, event: Event) -> None:
        if len(self.duplicates) == MAX_DUPLICATES:
            self.duplicates.more += 1
            return
        detail = "a mapping has each key once: remove or rename one of the two"
        error = YamlError("duplicate-key", detail, span_between(event.start_mark, event.end_mark), here.key_span(key))
        self.duplicates.append(error)


def _refuse_tag(event: Event) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        from connform.manifest.other_syntax import tag_message

        raise YamlError("yaml-tag", tag_message(tag), span_at(event.start_mark))
