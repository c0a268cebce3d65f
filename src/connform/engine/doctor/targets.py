"""The servers of a manifest: each origin of an API root and of a token endpoint, and the proxy on the way. Layer 3; reads variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from connform.auth.kit.client import server
from connform.engine.doctor.variables import without_login
from connform.engine.load.catalog import method_of, provider_of
from connform.engine.load.provider_server import server_of
from connform.environment import ENVIRONMENT_PROXY
from connform.manifest.model import Connection
from connform.origin import Origin


class Target(NamedTuple):
    """One origin, and the way to it."""

    origin: Origin
    proxy: str
    """As the manifest says."""
    files: tuple[object, ...]
    """The certificate files."""


def targets_of(connection: Connection) -> list[Target]:
    """Return the servers of a connection.

    Raises:
        ConnectionFailed: a plug-in has a bug.
    """
    return [Target(Origin.of(url), connection.proxy, connection.tls) for url in _urls(connection)]


def _urls(connection: Connection) -> Iterator[str]:
    """Yield the API root of a connection, and where its tokens come from."""
    instance = provider_of(connection).instance(connection)
    yield instance.base_url
    method = method_of(connection)
    if any(getattr(method, member, False) for member in ("uses_grant", "obtains_token")):
        settings = {**getattr(method, "defaults", {}), **connection.auth.settings}
        found = server(settings, server_of(instance))
        yield from filter(None, (found.login_url, found.token_url or found.issuer, found.refresh_url))


def via(target: Target) -> str:
    """Return the proxy that is used, without a password, for a message; empty for none."""
    from connform.http.net.environment_proxy import environment_proxy

    if not target.proxy or target.origin.scheme == "http":  # plain http, on this machine alone, uses none
        return ""
    if target.proxy != ENVIRONMENT_PROXY:
        return f" through the proxy {without_login(target.proxy)}"
    url, variable = environment_proxy(target.origin)
    return (
        f" through the proxy {without_login(url)} ({variable})"
        if url
        else " without a proxy (the environment names none)"
    )
