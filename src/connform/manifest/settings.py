"""The keys that every connection has, whatever its provider: TLS, time-outs, proxy, tags, owner.

Layer 1, no IO.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from connform.manifest.proxy import PROXY, proxy_findings
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape

TAG = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*(?!\n)$"

ALLOW_RULE = r"^[A-Z]+(-[A-Z]+)* /[!-~]*(?!\n)$"


class Timeouts(NamedTuple):
    """Limits in seconds."""

    connect_s: float = 5.0
    """DNS, TCP and TLS, each."""
    read_s: float = 30.0
    """Silence of the server."""
    total_s: float = 60.0
    """The whole exchange, from the name look-up to the last byte."""
    retry_after_max_s: float = 60.0
    """The longest wait that the server may ask for."""


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
    "allow": {
        "type": "array",
        "items": {
            "type": "string",
            "maxLength": 1024,
            "pattern": ALLOW_RULE,
            "errorMessage": "a rule is a method in upper case, one space and a path: `GET /packages/*`",
            "examples": ["GET /packages/*", "POST /packages/list"],
        },
        "minItems": 1,
        "maxItems": 256,
        "uniqueItems": True,
        "description": "What programs may send through `connform proxy`: a method and a path below the base URL. "
        "`*` is one segment, `**` one or more, HEAD goes with GET. Default: everything.",
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
    if "allow" in connection:
        from connform.manifest.allow import allow_findings  # few manifests have it

        yield from allow_findings(connection["allow"])
    if "proxy" in connection:
        yield from proxy_findings(connection)
