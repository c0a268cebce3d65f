"""Canonical layout of a manifest's bytes; makes sure that the model stays the same.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from connform.layout.printer import lay_out
from connform.manifest.nodes import LINE_BREAK, Map, Node, Seq
from connform.manifest.parser import parse
from connform.manifest.reference_rewrites import canonical_reference
from connform.manifest.yaml_errors import YamlError

_PREFIX = "ref+"


class ModelChangedError(Exception):
    """The canonical layout has another model than the manifest: a bug of connform."""


def canonical(data: bytes, name: str, reference_keys: Callable[[], Collection[str]]) -> bytes:
    r"""Return the manifest in its canonical layout; all line breaks become like the first one, `\n` or `\r\n`.

    Args:
        data: a YAML document.
        name: the file's name, for positions.
        reference_keys: returns the keys that hold secret references; called only if the text contains `ref+`.

    Raises:
        YamlError: the text is not YAML that connform accepts.
        ModelChangedError: a bug.
    """
    root, duplicates = parse(data, name)
    for duplicate in duplicates:
        raise duplicate
    text = data.decode("utf-8-sig")
    if _PREFIX in text and root is not None:
        text = _with_canonical_references(text, root, reference_keys())
    first_break = LINE_BREAK.search(text)
    laid_out = lay_out(text)
    if first_break and first_break[0] == "\r\n":
        laid_out = laid_out.replace("\n", "\r\n")
    result = laid_out.encode()
    if result != data and not _has_model(result, root):
        raise ModelChangedError(name)
    return result


def _has_model(data: bytes, root: Map | None) -> bool:
    try:
        return parse(data, "") == (root, [])
    except YamlError:
        return False


def _with_canonical_references(text: str, root: Map, keys: Collection[str]) -> str:
    """Return the text with each reference in its canonical form, in the same quotes; `root` is changed as well."""
    edits: dict[tuple[int, int], str] = {}
    for here in _mappings(root):
        for key in here.keys() & keys:
            value = here[key]
            start, end = here.value_offsets(key)
            raw = text[start:end]
            # A value with an anchor isn't changed, because aliases may use it as text; nor is one with escapes.
            if isinstance(value, str) and raw in (value, f'"{value}"', f"'{value}'"):
                here[key] = new = canonical_reference(value)
                edits[start, end] = raw.replace(value, new)
    pieces, position = [], 0
    for (start_index, end_index), new in sorted(edits.items()):
        pieces += [text[position:start_index], new]
        position = end_index
    return "".join([*pieces, text[position:]])


def _mappings(node: Node) -> Iterator[Map]:
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Map | Seq) and id(here) not in seen:  # aliases lead to the same object
            seen.add(id(here))
            if isinstance(here, Map):
                yield here
            waiting += here.values() if isinstance(here, Map) else here
