"""Origin of a URL (scheme, host, port), and the check of a base URL that gets a credential.

Layer 1, no IO.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

import httpx

from connform.errors import ConnectionFailed

LEGAL_HOST: Final = re.compile(r"[0-9a-z._-]+|[0-9a-f:.]+(?:%25\w+)?")
"""A name, an IPv4 or an IPv6 address; httpx accepts more."""
_PORTS: Final = {"https": 443, "http": 80}


class Origin(NamedTuple):
    """RFC 6454 §4, with the port always filled in."""

    scheme: str
    """`https`, or `http` for loopback."""
    host: str
    """Lower-case ASCII; an IPv6 address without its brackets."""
    port: int
    """The port."""

    @classmethod
    def of(cls, url: httpx.URL) -> Origin:
        """Return the origin of any URL."""
        scheme = url.scheme
        return cls(scheme, url.raw_host.decode("ascii"), url.port or _PORTS.get(scheme, 0))

    @classmethod
    def pinned(cls, base_url: str) -> Origin:
        """Return the origin of a connection's base URL.

        Raises:
            ConnectionFailed: `config_invalid`, no credential may be sent to this base URL.
        """
        try:
            url = httpx.URL(base_url)
            origin = cls.of(url)
        except (httpx.InvalidURL, ValueError):
            raise ConnectionFailed("config_invalid", "the base URL is not a URL") from None
        if origin.scheme not in _PORTS or not LEGAL_HOST.fullmatch(origin.host):
            raise ConnectionFailed("config_invalid", "the base URL must start with https:// and name a host")
        if url.userinfo:
            raise ConnectionFailed("config_invalid", "the base URL must not hold a user or password")
        if origin.scheme == "http" and not _is_loopback(origin.host):
            raise ConnectionFailed(
                "config_invalid", f"plain http is for this machine only, not for {origin.host}: use https"
            )
        return origin

    @property
    def host_header(self) -> bytes:
        """The value of the `Host` header, RFC 9110 §7.2."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}").encode("ascii")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS.get(self.scheme) else f":{self.port}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
