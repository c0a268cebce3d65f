"""The path of a request in one normal form, and the ways in which servers may read it.

Layer 1, no IO. Servers differ in what they decode before they look for a path's handler. A path that two servers could take for two
paths is refused, or has to be allowed in each reading.
"""

from __future__ import annotations

import re
from unicodedata import normalize as normalize_unicode
from urllib.parse import unquote_to_bytes

MAX_CHARACTERS = 4096
"""The longest path."""

_TRIPLET = re.compile(r"%([0-9A-Fa-f]{2})")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TWICE_ENCODED = re.compile(r"%25(?=[0-9A-Fa-f]{2})")
_BACKSLASH_OR_CONTROL = re.compile(r"%(?:5C|[01][0-9A-F]|7F)|\\")
_PLAIN = re.compile(r"/[A-Za-z0-9._~!$&'()*+,=:@/-]*")
"""What is in normal form without a look at its characters; `;` and `%` are not."""
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_NEEDS_ENCODING = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/%-]")
_ONLY_DOTS = re.compile(r"(?:\.|%20)+")
"""`.`, `..`, and what Windows takes for them."""
_SYNTAX = frozenset("/\\.;%?#")
"""Characters that mean something in a path: no other character may turn into one of them."""
_READINGS = (
    (re.compile(r"%2F"), "/"),  # decoded before the path is split
    (re.compile(r"(?:;|%3B)[^/]*"), ""),  # parameters of a segment, as servlets have them
    (re.compile(r"(?:%3F|%23).*"), ""),  # decoded, and parsed once more
)


class BadPath(ValueError):
    """A path is no path, or servers could take it for different ones; the text says why."""


def normalize(path: str) -> str:
    """Return a path in normal form (RFC 3986 §6.2.2): unreserved characters as they are, all others encoded in upper case.

    Args:
        path: it starts with `/`, and has no query.

    Raises:
        BadPath: it has to be refused.
    """
    if len(path) > MAX_CHARACTERS:
        raise BadPath(f"it is longer than {MAX_CHARACTERS} characters")
    if not _PLAIN.fullmatch(path):  # unusual
        path = _decoded_where_unreserved(path)
    for reading in readings(path):
        _require_plain_segments(reading)
    return path


def readings(path: str) -> set[str]:
    """Return the paths for which servers may take a path in normal form: itself, and others where it holds `%2F`, `;`, `%3F` or `%23`."""
    found = {path}
    if "%" in path or ";" in path:
        for pattern, replacement in _READINGS:
            found |= {pattern.sub(replacement, one) for one in found}
    return found


def _decoded_where_unreserved(path: str) -> str:
    if not path.isascii() or _BAD_PERCENT.search(path):
        raise BadPath("it holds `%` without two hexadecimal digits, or a character that has to be encoded")
    path = _NEEDS_ENCODING.sub(lambda found: f"%{ord(found[0]):02X}", path)
    path = _TRIPLET.sub(_normal_triplet, path)
    if _BACKSLASH_OR_CONTROL.search(path):
        raise BadPath("it holds a backslash or a control character")
    if _TWICE_ENCODED.search(path):
        raise BadPath("it is encoded twice")
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise BadPath("its encoded characters are no UTF-8") from None
    if not text.isascii() and any(
        _SYNTAX.intersection(normalize_unicode("NFKC", one)) for one in text if not one.isascii()
    ):
        raise BadPath("it holds a character that some servers take for a dot, a slash or another separator")
    return path


def _normal_triplet(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


def _require_plain_segments(path: str) -> None:
    segments = path.split("/")[1:]
    if "" in segments[:-1]:
        raise BadPath("it holds an empty segment, `//`")
    if any(map(_ONLY_DOTS.fullmatch, segments)):
        raise BadPath("it holds a segment of dots, as `..`")
