"""URLs and paths as a log may show them: no user, no password, no query, no part that may be a key or a token. Layer 1, no IO."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from connform.diagnostics import MASK
from connform.secret import looks_generated

if TYPE_CHECKING:
    import httpx

_LONGEST_PART = 64


def shown_path(path: str) -> str:
    """Return a path as a log shows it: a part that may be a key or a token, or has encoded characters, is masked."""
    return "/".join(MASK if _may_be_secret(part) else part for part in path.partition("?")[0].split("/"))


def _may_be_secret(part: str) -> bool:
    decoded = unquote(part)
    return len(decoded) > _LONGEST_PART or "%" in decoded or not decoded.isprintable() or looks_generated(decoded)


def shown_url(url: httpx.URL) -> str:
    """Return a URL as a log shows it: without user and password, with `?…` for a query."""
    path = shown_path(url.raw_path.decode("ascii"))
    return f"{url.scheme}://{url.netloc.decode('ascii')}{path}{'?…' if url.query else ''}"
