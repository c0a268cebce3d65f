"""The keys that every connection has, whatever its provider: TLS, time-outs, proxy, tags, owner.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.environment import ENVIRONMENT_PROXY
from connform.manifest.model import Timeouts, proxy_url
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema, Shape
from connform.manifest.urls import UrlError, parse_url

TAG = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*(?!\n)$"
_DEFAULTS = Timeouts()


def _seconds(description: str, default: float, maximum: int = 3600) -> Schema:
    text = f"{description} Default {default:g}."
    return {"type": "number", "exclusiveMinimum": 0, "maximum": maximum, "default": int(default), "description": text}


def _text(description: str, **keywords: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": 1024, "description": description, **keywords}


def _file(description: str) -> Schema:
    return _text(description, **{"x-compare": "path"})


TLS = Shape(
    title="TLS",
    description="Files for TLS, relative to this manifest. Default: the system's trust store.",
    properties={
        "ca_file": _file("PEM certificates to trust instead of the system's."),
        "client_cert": _file("PEM certificate chain of this client."),
        "client_key": _file("PEM private key of client_cert."),
    },
)
TIMEOUTS = Shape(
    title="Time-outs",
    description="Limits in seconds.",
    properties={
        "connect_s": _seconds("Name look-up, TCP and TLS, each.", _DEFAULTS.connect_s),
        "read_s": _seconds("Silence of the server.", _DEFAULTS.read_s),
        "total_s": _seconds("The whole exchange.", _DEFAULTS.total_s),
        "retry_after_max_s": _seconds(
            "The longest wait that the server may ask for, by Retry-After.", _DEFAULTS.retry_after_max_s, 86_400
        ),
    },
)
PROXY = Shape(
    title="Proxy",
    description="An HTTP proxy: its URL, or `environment` for the usual variables; an object if it wants a password. "
    "Default: none.",
    text={"minLength": 1, "maxLength": 1024, "x-compare": "root"},
    properties={
        "url": _text("The proxy's URL.", **{"x-compare": "root"}),
        "username": {
            "type": "string",
            "pattern": r"^[^:\x00-\x1f\x7f]+(?!\n)$",
            "maxLength": 1024,
            "description": "The user name for Basic authentication.",
            "errorMessage": "a user name has no colon and no control character",
        },
        "password": REFERENCE,
    },
    required=("url", "username", "password"),
)
SETTINGS: Mapping[str, Schema | Shape] = {
    "description": _text("What the connection is for."),
    "owner": _text("Whom to ask: a team or an address."),
    "tags": {
        "type": "array",
        "items": {
            "type": "string",
            "pattern": TAG,
            "errorMessage": "a tag starts with a letter or a digit, and goes on with letters, digits, `.`, `_`, `:`, `/` or `-`",
        },
        "uniqueItems": True,
        "description": "Labels for --tag.",
    },
    "tls": TLS,
    "timeouts": TIMEOUTS,
    "proxy": PROXY,
}
PROSE = frozenset({"description", "owner"})
"""The keys whose values are sentences."""
EXTENDS: Schema = {"type": "string", "description": "The template whose values this one starts from."}


def check_settings(connection: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield mistakes in the keys of every connection that a schema can't express."""
    tls = connection.get("tls", {})
    for present, absent in (("client_cert", "client_key"), ("client_key", "client_cert")):
        if present in tls and absent not in tls:
            yield Finding("incomplete-client-certificate", ("tls", present), f"add `{absent}`", at_key=True)
    proxy = connection.get("proxy", ENVIRONMENT_PROXY)
    if proxy != ENVIRONMENT_PROXY:
        yield from _check_proxy_url(proxy_url(connection), ("proxy", "url") if isinstance(proxy, dict) else ("proxy",))


def _check_proxy_url(url: str, path: KeyPath) -> Iterator[Finding]:
    if "@" in url:
        detail = (
            "a URL carries no user name or password: write `proxy: {url: …, username: …, password: …}`, "
            "the password by reference"
        )
        yield Finding("malformed-url", path, detail)
        return
    try:
        parse_url(url)
    except UrlError as error:
        if error.code != "insecure-url":  # inside of a tunnel by plain http, the connection has its own TLS
            yield Finding("malformed-url", path, str(error))
