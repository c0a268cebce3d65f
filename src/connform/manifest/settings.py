"""The keys that every connection has, whatever its provider: TLS, time-outs, proxy, tags, owner.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.environment import ENVIRONMENT_PROXY
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape
from connform.manifest.urls import UrlError, parse_url

TAG = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*(?!\n)$"


def _seconds(description: str) -> Schema:
    return {"type": "number", "exclusiveMinimum": 0, "maximum": 3600, "description": description}


def _text(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": 1024, "description": description}


TLS = Shape(
    title="TLS",
    description="Files for TLS, relative to this manifest. Default: the system's trust store.",
    properties={
        "ca_file": _text("PEM certificates to trust instead of the system's."),
        "client_cert": _text("PEM certificate chain of this client."),
        "client_key": _text("PEM private key of client_cert."),
    },
)
TIMEOUTS = Shape(
    title="Time-outs",
    description="Limits in seconds.",
    properties={
        "connect_s": _seconds("Name look-up, TCP and TLS, each. Default 5."),
        "read_s": _seconds("Silence of the server. Default 30."),
        "total_s": _seconds("The whole exchange. Default 60."),
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
    "tls": TLS,
    "timeouts": TIMEOUTS,
    "proxy": _text("A proxy's URL, or `environment` for the usual variables. Default: none."),
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
    if connection.get("proxy", ENVIRONMENT_PROXY) != ENVIRONMENT_PROXY:
        try:
            parse_url(connection["proxy"])
        except UrlError as error:
            if error.code != "insecure-url":  # inside of a tunnel by plain http, the connection has its own TLS
                yield Finding("malformed-url", ("proxy",), str(error))
