"""Settings of the ready HTTP client of a connection: base URL, timeouts, TLS, proxy, credential.

Layer 3, no IO of its own.
"""

from __future__ import annotations

from dataclasses import replace

from connform.engine.load.catalog import auth_method, provider
from connform.engine.run.context import RunContext
from connform.engine.run.reread_credential import RereadCredential
from connform.engine.run.resolve import resolve
from connform.http.settings import ClientSettings
from connform.manifest.model import Connection
from connform.secret import Secret

MAX_BODY_BYTES = 64 * 1024 * 1024


def client_settings(
    connection: Connection,
    context: RunContext,
    *,
    total_s: float | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    rereads: bool = False,
) -> ClientSettings:
    """Return the settings from which `http.client` makes a ready client.

    Args:
        connection: the declared connection.
        context: the run context: source of secrets, grants, network.
        total_s: the limit of a whole exchange in seconds; default: the connection's own.
        max_body_bytes: the maximum size of a response body, decoded.
        rereads: whether secrets that a server refuses are read again.

    Raises:
        ConnectionFailed: a secret can't be resolved.
    """
    bare = bare_settings(connection, context, total_s=total_s, max_body_bytes=max_body_bytes)
    inputs = resolve(connection, context, bare)
    make_credential = auth_method(connection.auth.method).credential
    credential = make_credential(inputs)
    account = f"{connection.base}/{connection.name}" if credential.is_renewable else ""
    if rereads and connection.auth.references:
        credential = RereadCredential(
            connection, context.source, lambda secrets: make_credential(inputs._replace(secrets=secrets))
        )
    return replace(bare, credential=credential, account=account)


def bare_settings(
    connection: Connection,
    context: RunContext,
    *,
    total_s: float | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> ClientSettings:
    """Return the settings of a connection's client without its credential; arguments as for `client_settings`."""
    instance = provider(connection.provider).instance(connection)
    timeouts, tls = connection.timeouts, connection.tls
    return ClientSettings(
        base_url=instance.base_url,
        connect_s=timeouts.connect_s,
        read_s=timeouts.read_s,
        total_s=total_s or timeouts.total_s,
        ca_file=tls.ca_file,
        client_cert=tls.client_cert,
        client_key=tls.client_key,
        proxy=Secret(connection.proxy),
        max_body_bytes=max_body_bytes,
        safe_posts=frozenset(instance.safe_posts),
        network=context.network,
    )
