"""Origin of a URL: scheme, host and port (RFC 6454 §4). Layer 0, no IO."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from urllib.parse import SplitResult

DEFAULT_PORTS = {"https": 443, "http": 80}


class Origin(NamedTuple):
    """An origin, with the port always filled in."""

    scheme: str
    """In lower case."""
    host: str
    """Lower-case ASCII; an IPv6 address without its brackets."""
    port: int
    """The port; 0 of a scheme without a port of its own."""

    @classmethod
    def of(cls, url: "str | SplitResult") -> "Origin":
        """Return the origin of a URL, which is not checked.

        Raises:
            ValueError: the port is no number.
        """
        from urllib.parse import urlsplit  # most manifests need none

        parts = urlsplit(url) if isinstance(url, str) else url
        return cls(parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0))

    @property
    def host_header(self) -> str:
        """The value of the `Host` header (RFC 9110 §7.2): the port only where it isn't the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: 127.0.0.0/8, ::1 or `localhost` (RFC 6890, RFC 6761 §6.3)."""
    if host == "localhost":
        return True
    from ipaddress import ip_address  # 2 ms that few manifests need

    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None  # Python 3.13 counts mapped ones
