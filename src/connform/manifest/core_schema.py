"""Types of plain scalars, by the core schema of YAML 1.2: `no`, `on` and `yes` are text. Layer 1, no IO."""

from __future__ import annotations

from contextlib import suppress

from connform.manifest.nodes import Node

_WORDS: dict[str, Node] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = 10
_BASES = {"0o": 8, "0x": 16}
_LAST = ".0123456789"
"""What a decimal number ends with."""
_MAX_DIGITS = 20
"""A longer number stays text: no setting is that large, and Python refuses to convert one of 5,000 digits."""


def resolve(text: str) -> Node:
    """Return the value of a plain scalar (YAML 1.2 §10.3.2); `.inf` and `.nan`, which JSON lacks, stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and len(text) <= _MAX_DIGITS:
        if text.isascii() and text.isdecimal():
            return int(text)
        return _number(text)
    return text


def _number(text: str) -> Node:
    """Return the number that an ASCII text of YAML is, else the text.

    Python's own functions decide, because to compile a pattern takes longer than to read a small manifest.
    """
    base = _BASES.get(text[:2], _DECIMAL)
    if "_" in text or not text.isascii() or (base == _DECIMAL and text[-1] not in _LAST):
        return text  # Python alone takes `1_000`, other digits and `+inf` for numbers
    with suppress(ValueError):
        return int(text, base)
    with suppress(ValueError):
        return float(text)
    return text
