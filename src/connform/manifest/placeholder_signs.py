"""Whether a file must be searched for placeholders at all; `placeholders.py` searches it. Layer 1, no IO."""

import re

CODE = "unexpanded-placeholder"
_SIGN = re.compile(rb"\$[\[({A-Z_e]|\{[{%]|<%|%[({A-Za-z_]|#\{|\(\(|__[A-Z]|@[A-Z]")
"""Each form of a placeholder contains one of these; a file without them isn't searched."""


def may_hold_placeholders(data: bytes) -> bool:
    """Whether the values of a file must be searched for placeholders."""
    return _SIGN.search(data) is not None
