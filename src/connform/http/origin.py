"""The origin of a base URL that gets a credential: checked once, and the only one that requests may go to.

Layer 1, no IO.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connform.errors import ConnectionFailed
from connform.origin import DEFAULT_PORTS, Origin, is_loopback

if TYPE_CHECKING:
    import httpx

LEGAL_HOST = re.compile(r"[0-9a-z._-]+|[0-9a-f:.]+(?:%25\w+)?")
"""A name, an IPv4 or an IPv6 address; httpx accepts more."""
_PLAIN_URL = re.compile(r"(https?)://([0-9a-z._-]+)(?::(\d{1,5}))?(?:/|\Z)")
"""A URL that httpx leaves as it is, up to its path."""
_MAX_PORT = 65535


def origin_of(url: httpx.URL) -> Origin:
    """Return the origin of a URL as httpx sends it: names are encoded, addresses as they stand."""
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or DEFAULT_PORTS.get(url.scheme, 0))


def pinned_origin(base_url: str) -> Origin:
    """Return the origin of a connection's base URL.

    Raises:
        ConnectionFailed: `config_invalid`, no credential may be sent to this base URL.
    """
    if plain := _PLAIN_URL.match(base_url):  # httpx takes twenty times as long
        scheme, host, port = plain.groups()
        if int(port or 0) <= _MAX_PORT:
            return _require_tls(Origin(scheme, host, int(port or 0) or DEFAULT_PORTS[scheme]))
    import httpx

    try:
        url = httpx.URL(base_url)
        origin = origin_of(url)
    except (httpx.InvalidURL, ValueError):
        raise ConnectionFailed("config_invalid", "the base URL is not a URL") from None
    if origin.scheme not in DEFAULT_PORTS or not LEGAL_HOST.fullmatch(origin.host):
        raise ConnectionFailed("config_invalid", "the base URL must start with https:// and name a host")
    if url.userinfo:
        raise ConnectionFailed("config_invalid", "the base URL must not hold a user or password")
    return _require_tls(origin)


def _require_tls(origin: Origin) -> Origin:
    """Return an origin; raises `config_invalid` for one without TLS that is not on this machine."""
    if origin.scheme == "http" and not is_loopback(origin.host):
        message = f"plain http is for this machine only, not for {origin.host}: use https"
        raise ConnectionFailed("config_invalid", message)
    return origin
