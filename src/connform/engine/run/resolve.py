"""Inputs of a connection's auth method: fetches its secrets, and adds its authorization server and grant table.

Layer 3; calls the secret backends.
"""

from __future__ import annotations

from functools import partial

from connform.auth.interface import AuthInputs
from connform.auth.oauth.server import AuthorizationServer
from connform.engine.load.catalog import provider
from connform.engine.run.context import RunContext
from connform.http.settings import ClientSettings
from connform.manifest.model import Connection


def resolve(connection: Connection, context: RunContext, client: ClientSettings) -> AuthInputs:
    """Return the inputs of a connection's auth method, with its secrets read.

    Raises:
        ConnectionFailed: a fault of the stage `secret`, or `config_invalid`.
    """
    instance = provider(connection.provider).instance(connection)
    return AuthInputs(
        connection=connection.name,
        settings=connection.auth.settings,
        secrets=context.source.secrets(connection) if connection.auth.references else {},
        api_key_header=instance.api_key_header,
        server=AuthorizationServer(instance.authorize_url, instance.token_url, instance.revoke_url),
        grants=partial(context.grants.of, connection),
        client=client,
    )
