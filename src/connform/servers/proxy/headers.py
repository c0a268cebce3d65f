"""Which headers are passed on, in both directions. Layer 4, no IO."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from connform.servers.proxy.refusal import Headers
from connform.servers.proxy.request_checks import is_override

_HOP_BY_HOP = frozenset({  # RFC 9110 §7.6.1, RFC 7540 §3.2.1
    b"connection", b"http2-settings", b"keep-alive", b"proxy-authenticate", b"proxy-authentication-info", b"proxy-authorization",
    b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_ENDS_HERE = _HOP_BY_HOP | {b"authorization", b"content-length", b"cookie", b"cookie2", b"expect", b"host", b"via"}
_ANSWER_ENDS_HERE = _HOP_BY_HOP | {b"alt-svc", b"set-cookie", b"set-cookie2", b"strict-transport-security"}
_LINKS = re.compile(r"<([^<>]*)>")


def request_headers(headers: Headers, defaults: Mapping[bytes, bytes], hidden: bytes) -> Headers:
    """Return the header lines that are passed on to the API.

    The client's own credential and cookies, hop-by-hop headers, and what would make a server act on another request end here.

    Args:
        headers: of the client; names in lower case.
        defaults: those that are added where the client sends none of that name.
        hidden: the random path: a header that holds it ends here.
    """
    ends_here = _named_by_connection(headers, _ENDS_HERE)
    passed = [
        (name, value)
        for name, value in headers
        if name.replace(b"_", b"-") not in ends_here and not is_override(name) and hidden not in value
    ]
    names = {name for name, _ in passed}
    return [*passed, *[line for line in defaults.items() if line[0] not in names]]


class Places(NamedTuple):
    """Where the connection's root is for the API, and for the client."""

    api_root: str
    """`https://api.example.com/v1`, without a slash at its end."""
    own_root: str
    """`http://127.0.0.1:49152/<random>/name`."""

    def translated(self, reference: str, request_path: str) -> str:
        """Return a reference in an answer for the client: below the root, one to the proxy; any other as an absolute URL.

        Args:
            reference: a URL, perhaps relative.
            request_path: the path at the API of the request that was answered.
        """
        root = urlsplit(self.api_root)
        try:
            url = urlsplit(urljoin(f"{root.scheme}://{root.netloc}{request_path}", reference))
            is_ours = (url.scheme, url.hostname, url.port or _port(url.scheme)) == (
                root.scheme,
                root.hostname,
                root.port or _port(root.scheme),
            )
        except ValueError:
            return reference
        if is_ours and not url.username and (url.path == root.path or url.path.startswith(f"{root.path}/")):
            return (
                f"{self.own_root}{url._replace(scheme='', netloc='', path=url.path.removeprefix(root.path)).geturl()}"
            )
        return url.geturl()


def answer_headers(headers: Headers, places: Places, request_path: str) -> Headers:
    """Return the header lines of an answer for the client."""
    ends_here = _named_by_connection(headers, _ANSWER_ENDS_HERE)
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):  # RFC 9112 §6.3: it is wrong then
        ends_here |= {b"content-length"}
    passed: Headers = []
    for name, value in headers:
        match name.lower():
            case lower if lower in ends_here:
                continue
            case b"location" | b"content-location":
                text = places.translated(value.decode("latin-1"), request_path)
                passed.append((name, text.encode("latin-1", "replace")))
            case b"link":
                text = _LINKS.sub(lambda one: f"<{places.translated(one[1], request_path)}>", value.decode("latin-1"))
                passed.append((name, text.encode("latin-1", "replace")))
            case _:
                passed.append((name, value))
    return passed


def _named_by_connection(headers: Headers, names: frozenset[bytes]) -> frozenset[bytes]:
    """Return the names of headers that end here, with those that `Connection` names."""
    named = {
        one.strip().lower()
        for name, value in headers
        if name.lower() == b"connection" and value.lower() not in {b"keep-alive", b"close"}
        for one in value.split(b",")
    }
    return names | named if named else names


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
