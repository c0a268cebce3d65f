"""The key `proxy` of a connection or a store: its shape, its mistakes, and what it says.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.environment import ENVIRONMENT_PROXY
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.secret import SecretReference

PROXY_PASSWORD = "proxy.password"  # noqa: S105  (the name of a secret)
"""The key of the secret reference that is not under `auth:`."""
PROXY = Shape(
    title="Proxy",
    description="An HTTP proxy: its URL, or `environment` for the usual variables; an object if it wants a password. "
    "Default: none.",
    text={"minLength": 1, "maxLength": 1024, "x-compare": "root"},
    properties={
        "url": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "description": "The proxy's URL.",
            "x-compare": "root",
        },
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


def proxy_findings(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield mistakes in the URL of a proxy that is given."""
    if settings["proxy"] == ENVIRONMENT_PROXY:
        return
    url = proxy_url(settings)
    path = ("proxy", "url") if isinstance(settings["proxy"], dict) else ("proxy",)
    if "@" in url:
        detail = (
            "a URL carries no user name or password: write `proxy: {url: …, username: …, password: …}`, "
            "the password by reference"
        )
        yield Finding("malformed-url", path, detail)
        return
    from connform.manifest.urls import UrlError, parse_url  # few manifests name a proxy

    try:
        parse_url(url)
    except UrlError as error:
        if error.code != "insecure-url":  # inside of a tunnel by plain http, the connection has its own TLS
            yield Finding("malformed-url", path, str(error))


def proxy_url(settings: Mapping[str, Any]) -> str:
    """Return the URL of the proxy in effective or recorded values, `environment`, or an empty text for none."""
    proxy = settings.get("proxy", "")
    url: str = proxy["url"] if isinstance(proxy, Mapping) else proxy
    return url


def proxy_references(settings: Mapping[str, Any]) -> dict[str, SecretReference]:
    """Return the secret reference to the proxy's password, by its key; empty where it has none."""
    if "proxy" not in settings:
        return {}
    proxy = settings["proxy"]
    return {PROXY_PASSWORD: SecretReference.parse(proxy["password"])} if isinstance(proxy, Mapping) else {}
