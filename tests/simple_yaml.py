"""Compares the parser of simple YAML with libyaml's: trees, the order of keys, and every position."""

from __future__ import annotations

from connform.manifest.nodes import Map, Node, Seq
from connform.manifest.simple_yaml import parse_simple
from connform.manifest.text import decode
from connform.manifest.yaml_builder import build


def is_simple(data: bytes) -> bool:
    """Whether a document is simple; then both parsers agree on it, or this raises."""
    text, unreadable = decode(data)
    simple = None if unreadable else parse_simple(text, "m.yaml")
    if simple is None:
        return False
    root, duplicates = build(data, text, "m.yaml")
    assert duplicates == []
    assert located(simple) == located(root)
    return True


def located(node: Node) -> object:
    """Return a value with its type, the order of its keys, and the spans of all that is in it."""
    if isinstance(node, Map):
        return [(key, node.key_span(key), node.value_span(key), located(value)) for key, value in node.items()]
    if isinstance(node, Seq):
        spans = [None if isinstance(item, Map | Seq) else node.item_span(index) for index, item in enumerate(node)]
        return ["sequence", list(zip(spans, map(located, node), strict=True))]
    return type(node), node
