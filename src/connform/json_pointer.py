"""The value at a JSON Pointer (RFC 6901). Layer 0, no IO."""

from __future__ import annotations

from typing import Any


def at_pointer(document: Any, pointer: str) -> Any:
    """Return the value at a pointer; `None` if there is none."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document.get(key)
        else:
            return None
    return document
