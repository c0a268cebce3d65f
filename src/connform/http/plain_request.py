"""A request below a base URL as it is sent, without the credential: target, headers and body, as httpx makes them.

Layer 1, no IO. Making one with httpx takes ten times as long.
"""

from __future__ import annotations

import json
import re
from typing import Any

from connform.http import query
from connform.http.body import ACCEPT_ENCODING
from connform.http.settings import ClientSettings
from connform.http.wire import WireRequest

_PLAIN_TARGET = re.compile(r"(?!.*/\.)[A-Za-z0-9/_~.@:,;=+!$()*-]+(?:\?[A-Za-z0-9/_~.@:,;=+!$()*&-]*)?")
"""Path and query that httpx sends as they stand: nothing to encode, and no part that begins with a dot."""
_PLAIN_BASE = re.compile(r"https?://[^/?#]+([^?#]*)")
_HAS_BODY = {"POST", "PUT", "PATCH"}


def plain_request(settings: ClientSettings, method: str, path: str, content: Any = None) -> WireRequest:
    """Return a request below the base URL, with the plain headers and parameters of the settings.

    Args:
        settings: of the client.
        method: `GET`, `HEAD`, `POST`, …
        path: path and query, relative to the base URL.
        content: the body: bytes as they are, other data as JSON; `None` for none.
    """
    target = _target(settings.base_url, path)
    if settings.query:
        plain_path, _, plain_query = target.partition(b"?")
        target = plain_path + b"?" + query.with_defaults(plain_query, settings.query)
    headers = {"Accept": "*/*", "Connection": "keep-alive", "User-Agent": settings.user_agent}
    lines = {name.lower(): (name, value) for name, value in [*headers.items(), *settings.headers.items()]}
    if content is None or isinstance(content, bytes):
        body = content or b""
    else:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if body or method in _HAS_BODY:
        lines["content-length"] = ("Content-Length", str(len(body)))
    if body:
        lines.setdefault("content-type", ("Content-Type", "application/json"))
    lines.pop("accept-encoding", None)
    encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in lines.values()]
    return WireRequest(method, target, [(b"Accept-Encoding", ACCEPT_ENCODING), *encoded], body)


def _target(base_url: str, path: str) -> bytes:
    path = f"/{path.removeprefix('/')}"
    base = _PLAIN_BASE.fullmatch(base_url)
    joined = base[1].rstrip("/") + path if base else ""
    if _PLAIN_TARGET.fullmatch(joined):
        return joined.encode("ascii")
    import httpx  # few paths need it

    return httpx.URL(base_url.rstrip("/") + path).raw_path
