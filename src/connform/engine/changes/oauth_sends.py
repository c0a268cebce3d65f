"""What an OAuth client sends: its secret, a person's consent, and the grant.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator

from connform.auth.kit.client import SERVER_URLS
from connform.auth.oauth.server import AuthorizationServer
from connform.engine.changes.destination import Destination, Send
from connform.engine.changes.secret_identity import SecretIdentity, derived_identity, origin_of

_OF_CONSENT = ("authorize_url", "device_authorization_url")
"""The endpoints that a person's consent depends on."""


def oauth_sends(
    secret: str, identity: SecretIdentity, app: str, servers: AuthorizationServer, way: Destination, api: Destination
) -> Iterator[Send]:
    """Yield the destinations of an OAuth client's secret, of a person's consent and of the grant.

    Consent and grant have the identity of the client's secret, so a renamed connection doesn't change them. A public client has
    no secret (it is empty), and its server gets the grant alone.

    Args:
        secret: the reference of the client's secret.
        identity: its identity.
        app: the name of the client.
        servers: the authorization server.
        way: the way to it.
        api: the API.
    """
    grant, of_grant = f"the grant of {app}", derived_identity(identity, "grant")
    for key in SERVER_URLS:
        if url := getattr(servers, key):
            to = way.at(origin_of(url), key, app)
            if key in _OF_CONSENT:
                yield Send(f"the consent to {app}", derived_identity(identity, "consent"), to)
            if key != "authorize_url":  # a browser goes there, and no secret
                yield Send(secret, identity, to) if secret else Send(grant, of_grant, to)
    yield Send(grant, of_grant, api.with_use(client_id=app))


def identity_of_client(app: str, servers: AuthorizationServer) -> SecretIdentity:
    """Return what stands for the secret that a public client doesn't have: its name at its server."""
    return SecretIdentity("client", app, server=(origin_of(servers.token_url or servers.issuer),))
