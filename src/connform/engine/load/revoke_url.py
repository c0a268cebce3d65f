"""The validation rule for `revoke_url`: its origin is that of the token endpoint. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from connform.auth.oauth.server import same_origin
from connform.diagnostics import Span
from connform.engine.load.catalog import DEFAULT_PROVIDER, Definition, provider_of
from connform.errors import ConnectionFailed
from connform.manifest.model import Connection
from connform.manifest.rules import Finding
from connform.manifest.urls import UrlError


def findings(connection: Mapping[str, Any], definition: Definition) -> Iterator[Finding]:
    """Yield a finding if the origin of a connection's effective `revoke_url` isn't that of its token endpoint."""
    auth = connection["auth"]
    token_url = auth.get("token_url") or auth.get("issuer") or _known_token_url(connection, definition)
    if token_url and not same_origin(auth["revoke_url"], token_url):
        detail = (
            "a logout sends the refresh token and the app's secret there, and this is another server than that of the token "
            "endpoint: see whether the vendor documents it"
        )
        yield Finding("foreign-revoke-url", ("auth", "revoke_url"), detail)


def _known_token_url(connection: Mapping[str, Any], definition: Definition) -> str:
    """Return the token endpoint of the provider; empty if it has none, or if other settings of the connection are wrong."""
    name = connection.get("provider", DEFAULT_PROVIDER)
    declared = Connection("", name, connection, Path(), Span("", 1, 1, 1, 1), definition=definition)
    with suppress(KeyError, UrlError, ConnectionFailed):
        return provider_of(declared).instance(declared).token_url
    return ""
