"""Inputs of a connection's auth method: fetches its secrets, and adds its authorization server and the stores of its tokens.

Layer 3; calls the secret backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from connform.auth.interface import AuthInputs
from connform.engine.load.catalog import method_of, provider_of
from connform.engine.load.provider_server import server_of
from connform.engine.run.context import RunContext
from connform.grant import GrantStore
from connform.http.settings import ClientSettings
from connform.issued_token import TokenStore
from connform.manifest.model import Connection
from connform.secret import Secret


def resolve(
    connection: Connection, context: RunContext, client: ClientSettings, secrets: Mapping[str, Secret] | None = None
) -> AuthInputs:
    """Return the inputs of a connection's auth method, with its secrets read unless they are given.

    Raises:
        ConnectionFailed: a fault of the stage `secret`, or `config_invalid`.
    """
    if secrets is None:
        secrets = context.source.secrets(connection)
    return inputs_of(
        connection, secrets, client, partial(context.grants.of, connection), partial(context.tokens.of, connection)
    )


def inputs_of(
    connection: Connection,
    secrets: Mapping[str, Secret],
    client: ClientSettings,
    grants: Callable[[], GrantStore],
    tokens: Callable[[], TokenStore],
) -> AuthInputs:
    """Return the inputs of a connection's auth method; no IO. Arguments as for `AuthInputs`."""
    instance = provider_of(connection).instance(connection)
    defaults = getattr(method_of(connection), "defaults", {})
    return AuthInputs(
        connection=connection.name,
        settings={**defaults, **connection.auth.settings},
        secrets=secrets,
        api_key_header=instance.api_key_header,
        server=server_of(instance),
        grants=grants,
        tokens=tokens,
        client=client,
        values=instance.values,
        references={key: str(reference) for key, reference in connection.auth.references.items()},
    )
