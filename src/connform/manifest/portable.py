r"""The published form of a JSON Schema: only patterns that validators in all languages read alike.

Layer 1, no IO. Our patterns end in `(?!\n)$`, because Python's `$` also matches before a last line break. Go, Rust and
RE2 have no look-ahead, and need none: their `$` matches at the end only. The published schema has a plain `$`, and a
`not` for Python.
"""

from __future__ import annotations

from typing import Any

_END = r"(?!\n)$"


def portable(schema: Any) -> Any:
    """Return a copy of a schema with patterns that mean the same in ECMA 262, RE2, Rust's `regex` and Python."""
    if isinstance(schema, list):
        return [portable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {word: portable(value) for word, value in schema.items()}
    pattern = copy.get("pattern")
    if isinstance(pattern, str) and pattern.endswith(_END):
        # a pattern accepts all that is no text
        with_break = {"pattern": r"\n"} if copy.get("type") == "string" else {"type": "string", "pattern": r"\n"}
        copy |= {"pattern": pattern.removesuffix(_END) + "$", "not": with_break}
    return copy
