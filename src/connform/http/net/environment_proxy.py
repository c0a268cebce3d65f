"""The proxy that the environment names for a host: HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl and Go read them.

Layer 1; reads the environment, and only where the manifest says `proxy: environment`.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from connform.environment import variable
from connform.origin import Origin

_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""The first that is set counts. Lower case comes first, as for curl."""
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


def environment_proxy(origin: Origin) -> tuple[str, str]:
    """Return the URL of the proxy for an https origin, and the variable that names it; empty texts for none."""
    name = next((name for name in _PROXIES if variable(name)), "")
    if not name or any(_is_exception(entry, origin) for entry in _exceptions()):
        return "", ""
    url = variable(name)
    return (url if "://" in url else f"http://{url}"), name


def _exceptions() -> list[str]:
    text = next((variable(name) for name in _EXCEPTIONS if variable(name)), "")
    return [entry for entry in re.split(r"[\s,]+", text.lower()) if entry]


def _is_exception(entry: str, origin: Origin) -> bool:
    """Return whether an entry of NO_PROXY names a host: `*`, a domain with all below it, an address, or a range of addresses."""
    host, port = _split_port(entry)
    if host == "*":
        return True
    if port and port != origin.port:
        return False
    asked = origin.host.lower().rstrip(".")
    try:
        address = ip_address(asked)
    except ValueError:
        domain = host.removeprefix("*").strip(".")
        return bool(domain) and (asked == domain or asked.endswith(f".{domain}"))
    try:
        return address in ip_network(host, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, int]:
    """Return host and port of `host`, `host:port`, `address`, `[address]` or `[address]:port`; the port is 0 where none is named."""
    bracketed = re.fullmatch(r"\[(?P<host>[^\]]+)\](:(?P<port>[0-9]{1,5}))?", entry)
    plain = re.fullmatch(r"(?P<host>[^:]+):(?P<port>[0-9]{1,5})", entry)
    match = bracketed or plain
    return (match["host"], int(match["port"] or 0)) if match else (entry, 0)
