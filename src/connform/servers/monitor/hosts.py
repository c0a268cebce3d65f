"""The names by which a monitor may be asked, against DNS rebinding: a page of a stranger can't read it under the stranger's name.

Layer 4, no IO.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


def is_loopback(host: str) -> bool:
    """Whether a name or address of `--listen` is this machine alone."""
    if host.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(header: str, allowed: Collection[str]) -> bool:
    """Whether the value of a header `Host` is an address, a name of this machine's loopback, or one of `allowed`.

    An address can't be rebound: only a name can lead elsewhere later.
    """
    host = _without_port(header).lower().rstrip(".")
    if host in _LOOPBACK_NAMES or host in allowed:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]
