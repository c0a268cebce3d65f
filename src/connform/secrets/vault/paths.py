"""Checks of a Vault path: it must not lie among the server's own paths, such as `auth/`, where tokens could be read.

Layer 2, no IO.
"""

from __future__ import annotations

from urllib.parse import unquote

RESERVED = frozenset({"auth", "sys", "identity", "cubbyhole", "audit"})
"""The first parts of the server's own paths, in each namespace: tokens, logins, settings. No KV store is mounted there."""
_MAX_ENCODINGS = 3


def path_problem(path: str) -> str:
    """Return why a path, which begins with its mount, must not be read; empty if it may be read.

    A server takes an encoded path literally, but a proxy in front of it may decode it. So both forms are checked.
    """
    for _ in range(_MAX_ENCODINGS):
        segments = path.replace("\\", "/").split("/")
        if not all(segments) or {".", ".."} & set(segments):
            return (
                "a path has neither empty parts nor dots in their place, no slash at its ends, and none of them encoded"
            )
        first = segments[0].casefold()
        if first in RESERVED:
            return f"`{first}/` is the server's own and no KV store: tokens and what is made on request are read by no reference"
        decoded = unquote(path)
        if decoded == path:
            return ""
        if decoded.count("/") != path.count("/") or "\\" in decoded:
            return "a path has no encoded slashes or backslashes: write it as `vault kv get` takes it"
        path = decoded
    return "a path is not percent-encoded again and again: write it as `vault kv get` takes it"


def may_be_reserved(path: str) -> bool:
    """Whether a path could be one of the server's own, if its first parts name a namespace."""
    return not RESERVED.isdisjoint(unquote(path).casefold().split("/"))
