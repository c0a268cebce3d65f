"""Types of plain scalars, by the core schema of YAML 1.2: `no`, `on` and `yes` are text. Layer 1, no IO."""

from __future__ import annotations

import re

from connform.manifest.nodes import Node

# Patterns are compiled when they are first needed: most numbers of a manifest are digits alone.
_INTEGER = r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
_WORDS: dict[str, Node] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAX_DIGITS = 20
"""A longer number stays text: no setting is that large, and Python refuses to convert one of 5,000 digits."""


def resolve(text: str) -> Node:
    """Return the value of a plain scalar (YAML 1.2 §10.3.2); `.inf` and `.nan`, which JSON lacks, stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and len(text) <= _MAX_DIGITS:
        if text.isascii() and text.isdecimal():
            return int(text)
        if re.fullmatch(_INTEGER, text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if re.fullmatch(_FLOAT, text):
            return float(text)
    return text
