"""Parser of URLs, and the rules for URLs that may be trusted with a credential.

Layer 1, no IO. All URLs of a manifest are checked here: the providers' `base_url`, `redirect_uri` and `proxy`.
A URL is parsed once and rebuilt from its parts (RFC 3986), so that the URL that is called is the one that was checked.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from connform.manifest.harmless import is_plain
from connform.manifest.rules import Finding, KeyPath
from connform.origin import DEFAULT_PORTS, Origin, is_loopback

_MALFORMED = "malformed-url"
_INSECURE = "insecure-url"
_PARTS = r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?"
_AUTHORITY = r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?"
_PATH = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_NUMBER = r"[0-9]+|0x[0-9a-f]*"
_MAX_HOST_LENGTH = 253  # RFC 1035 §2.3.4, without the closing dot
_MAX_PORT = 65535
_LOOPBACK_REMARK = "; plain http is for this machine alone (localhost, 127.0.0.0/8, ::1)"


class UrlError(ValueError):
    """The URL can't be used; the message says why and never repeats the URL."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        """`malformed-url` or `insecure-url`."""


class Url(NamedTuple):
    """A URL that was checked."""

    scheme: str
    """`https`, or `http` for loopback."""
    host: str
    """Lower-case ASCII name or address; an IPv6 address without its brackets, in canonical form."""
    port: int
    """The port, explicit or the scheme's own."""
    path: str
    """Empty, or with a leading slash; as given."""
    query: str = ""
    """Without the question mark."""

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454 §6.2), the port only where it isn't the scheme's own."""
        return str(Origin(self.scheme, self.host, self.port))

    def __str__(self) -> str:
        return f"{self.origin}{self.path}" + (f"?{self.query}" if self.query else "")


def parse_url(text: str, *, loopback_http: bool = True, query: bool = False) -> Url:
    """Return the parts of an https URL.

    Args:
        text: the URL.
        loopback_http: whether plain http is allowed for this machine.
        query: whether a query is allowed.

    Raises:
        UrlError: `insecure-url` for plain http, `malformed-url` for everything else.
    """
    return _parse_url(text, loopback_http, query)


@lru_cache(maxsize=4096)  # thousands of connections share one redirect_uri; a live check reads a root four times
def _parse_url(text: str, loopback_http: bool, query: bool) -> Url:  # noqa: FBT001  (one key of the cache, however they are written)
    if _pattern(r"[\x00-\x20\x7f\\]").search(text):
        raise UrlError(_MALFORMED, "a URL holds no backslash, space, line break or control character")
    if not text.isascii():
        raise UrlError(
            _MALFORMED, "a URL is ASCII: write the host's name in its xn--… form, and percent-encode the path"
        )
    match = _pattern(_PARTS).fullmatch(text)
    if match is None or not match[2]:
        raise UrlError(_MALFORMED, "a full URL is needed: https://host/path")
    scheme, authority, path, query_text, fragment = match.groups()
    if scheme.lower() not in DEFAULT_PORTS:
        raise UrlError(_MALFORMED, "the scheme of the URL must be https")
    if "@" in authority:
        raise UrlError(
            _MALFORMED, "a URL carries no user name or password: credentials belong under `auth:`, by reference"
        )
    if fragment is not None or (query_text is not None and not query):
        raise UrlError(
            _MALFORMED,
            "the URL ends with its path" + ("" if query else ": no query (`?…`)") + " and has no fragment (`#…`)",
        )
    if not _pattern(_PATH).fullmatch(path) or _pattern(r"/\.\.?(?:/|$)").search(path):
        raise UrlError(_MALFORMED, "the path of the URL holds a character or a `..` that doesn't belong there")
    host, port = _host_and_port(authority, scheme.lower())
    url = Url(scheme.lower(), host, port, path, (query_text or "")[1:])
    if url.scheme != "https" and not (loopback_http and is_loopback(url.host)):
        raise UrlError(_INSECURE, "credentials travel by https only" + (_LOOPBACK_REMARK if loopback_http else ""))
    return url


def url_findings(text: str, path: KeyPath, *, loopback_http: bool = True, query: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with the URL at `path`; arguments as in `parse_url`."""
    try:
        parse_url(text, loopback_http=loopback_http, query=query)
    except UrlError as error:
        harmless = error.code == _INSECURE and is_plain(text)
        yield Finding(error.code, path, str(error), "https://" + text[7:] if harmless else "")


def host_of(location: str) -> str:
    """Return the host that a `Location` header names (RFC 9110 §10.2.2), or an empty string; never user, path or query."""
    match = re.match(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#]*@)?([^/?#@]+)", location)
    if match is None:
        return ""
    try:
        return _host_and_port(match[1], "https")[0]
    except UrlError:
        return ""


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    match = _pattern(_AUTHORITY).fullmatch(authority)
    port = int(match[2]) if match and match[2] else DEFAULT_PORTS[scheme]
    if match is None or not 0 < port <= _MAX_PORT:
        raise UrlError(_MALFORMED, "the host or the port of the URL is not valid")
    return _host(match[1].lower()), port


def _host(host: str) -> str:
    if host.startswith("["):
        from ipaddress import AddressValueError, IPv6Address  # 2 ms that few manifests need

        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise UrlError(_MALFORMED, "the IPv6 address of the URL is not valid") from None
    # A name that ends in a number is an IPv4 address to most software (`127.1`, `0x7f.0.0.1`): only the plain form is taken.
    if _pattern(_NUMBER).fullmatch(host.rpartition(".")[2]) and not _pattern(_IPV4).fullmatch(host):
        raise UrlError(_MALFORMED, "an IPv4 address is written as four numbers from 0 to 255")
    if len(host) > _MAX_HOST_LENGTH or not _pattern(_NAME).fullmatch(host):
        raise UrlError(_MALFORMED, "the host of the URL is not a valid name")
    return host


def is_label(text: str) -> bool:
    """Whether a text is one label of a host name (RFC 1123 §2.1), in which `_` may stand as well."""
    return _pattern(_LABEL).fullmatch(text) is not None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern; `re` would look it up at each use, which takes longer than most matches."""
    return re.compile(text)
