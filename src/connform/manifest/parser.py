"""Parser of a YAML document of connform, into the tree of nodes.

Layer 1, no IO.
"""

from __future__ import annotations

from connform.manifest.nodes import Map
from connform.manifest.simple_yaml import parse_simple
from connform.manifest.text import decode
from connform.manifest.yaml_errors import Duplicates, yaml_error


def parse(data: bytes, name: str) -> tuple[Map | None, Duplicates]:
    """Return the mapping of a document, and the errors of its duplicate keys.

    Args:
        data: a YAML document in UTF-8.
        name: the file's name, for positions.

    Raises:
        YamlError: any other mistake: syntax, a tag, too deep nesting, too many aliases, several documents, …
    """
    text, unreadable = decode(data)
    if unreadable:
        raise yaml_error(unreadable, text, name)
    simple = parse_simple(text, name)
    if simple is not None:
        return simple, Duplicates()
    from connform.manifest.yaml_builder import build  # imports PyYAML, which simple documents don't need

    return build(data, text, name)
