"""What is checked of a request before its path: who asks, for which host, in which form. Layer 4, no IO."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from connform.servers.proxy.refusal import CLOSE, Headers, Refusal

_METHOD_OVERRIDES = {b"x-http-method-override", b"x-http-method", b"x-method-override"}
_REWRITES = {
    b"forwarded",
    b"x-original-url",
    b"x-original-uri",
    b"x-rewrite-url",
    b"x-request-uri",
    b"x-original-host",
    b"x-host",
    b"x-http-host-override",
    b"x-envoy-original-path",
    b"x-accel-redirect",
    b"x-sendfile",
}
_FORWARDED = re.compile(rb"x-forwarded-\S+")
_METHOD_PARAMETERS = {b"_method", b"x_http_method_override", b"http_method", b"$method", b"$httpmethod"}
_METHODS = {b"get", b"head", b"post", b"put", b"patch", b"delete"}
_OTHER_TARGETS = {b"destination"}
"""WebDAV's COPY and MOVE write to another path than their own (RFC 4918 §10.3)."""
_IN_NAMES = re.compile(rb"[^a-z0-9]")
_IN_PARAMETERS = re.compile(rb"[ .\[\-]")
_FOREIGN_SITES = {b"cross-site", b"same-site"}


def is_override(name: bytes) -> bool:
    """Return whether a header changes the method, host or path that a server acts on; CGI takes `_` and `.` for `-`."""
    name = _IN_NAMES.sub(b"-", name)
    return name in _METHOD_OVERRIDES or name in _REWRITES or bool(_FORWARDED.fullmatch(name))


def check_form(method: str, target: bytes, headers: Headers, hosts: frozenset[bytes]) -> None:
    """Make sure that a request is for this server, and comes from a program and not from a page in a browser.

    Args:
        method: its method.
        target: its target without the query.
        headers: its header lines, names in lower case.
        hosts: the values of `Host` that are accepted.

    Raises:
        Refusal: it isn't.
    """
    if method in {"CONNECT", "TRACE"}:
        raise Refusal(HTTPStatus.NOT_IMPLEMENTED, "method_refused", f"{method} is never passed on", CLOSE)
    if not target.startswith(b"/"):
        message = "the target of a request has to be a path: set the base URL of your client, not its proxy"
        raise Refusal(HTTPStatus.BAD_REQUEST, "target_refused", message, CLOSE)
    seen_hosts = [value.lower() for name, value in headers if name == b"host"]
    if len(seen_hosts) != 1 or seen_hosts[0] not in hosts:
        message = "the header `Host` has to name this proxy, as the base URL does"
        raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, "host_refused", message)
    for name, value in headers:
        if name == b"origin" or (name == b"sec-fetch-site" and value.lower() in _FOREIGN_SITES):
            raise Refusal(HTTPStatus.FORBIDDEN, "browser_refused", "requests of pages in a browser are never passed on")
        if name == b"upgrade" and value.lower() != b"h2c":  # which Java's client always asks for, and does without
            raise Refusal(HTTPStatus.NOT_IMPLEMENTED, "upgrade_refused", "another protocol is never switched to", CLOSE)
        if name == b"expect" and value.lower() != b"100-continue":
            message = "the only expectation is `100-continue`"
            raise Refusal(HTTPStatus.EXPECTATION_FAILED, "expectation_refused", message, CLOSE)


def check_overrides(query: bytes, headers: Headers) -> None:
    """Make sure that a request which `allow` judges is what its method and path say.

    Raises:
        Refusal: a header or a parameter would make a server act on another method, host or path.
    """
    for name, _ in headers:
        if is_override(name) or name in _OTHER_TARGETS:
            message = f"under `allow`, the header `{name.decode('latin-1')}` is refused: a server could act on another request"
            raise Refusal(HTTPStatus.FORBIDDEN, "override_refused", message)
    for pair in re.split(rb"[&;]", query):
        name, _, value = (unquote_to_bytes(part).strip().lower() for part in pair.replace(b"+", b" ").partition(b"="))
        name = _IN_PARAMETERS.sub(b"_", name)  # as PHP reads it
        if name in _METHOD_PARAMETERS or (name == b"method" and value in _METHODS):
            message = "under `allow`, a parameter of the query that changes the method is refused"
            raise Refusal(HTTPStatus.FORBIDDEN, "override_refused", message)
