r"""Turns a composed JSON Schema into the one that is published, which validators in any language read alike.

Layer 1, no IO. Patterns say `(?!\n)$` for the end of a text, because Python's `$` also fits before a last line break. Go, Rust
and RE2 have no look-around, and elsewhere `$` is the end alone: published are a plain `$`, and for Python a `not`.
"""

from __future__ import annotations

from typing import Any, Final

_END: Final = r"(?!\n)$"


def portable(schema: Any) -> Any:
    """Return a copy of a schema whose patterns are within what ECMA 262, RE2, Rust's `regex` and Python share."""
    if isinstance(schema, list):
        return [portable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {word: portable(value) for word, value in schema.items()}
    pattern = copy.get("pattern")
    if isinstance(pattern, str) and pattern.endswith(_END):
        copy |= {"pattern": pattern.removesuffix(_END) + "$", "not": {"pattern": r"\n"}}
    return copy
