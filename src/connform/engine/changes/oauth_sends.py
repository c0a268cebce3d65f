"""What an OAuth client sends: its secret, a person's consent, and the grant.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter

from connform.auth.kit.client import SERVER_URLS
from connform.auth.oauth.server import AuthorizationServer
from connform.engine.changes.destination import Destination, Send
from connform.engine.changes.secret_identity import SecretIdentity, derived_identity, origin_of

_OF_CONSENT = ("authorize_url", "device_authorization_url")
"""The endpoints that a person's consent depends on."""
_urls_of: Callable[[AuthorizationServer], tuple[str, ...]] = attrgetter(*SERVER_URLS)


def oauth_sends(
    secret: str, identity: SecretIdentity, app: str, servers: AuthorizationServer, way: Destination, api: Destination
) -> list[Send]:
    """Return the destinations of an OAuth client's secret, of a person's consent and of the grant.

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
    sent = (secret, identity) if secret else (grant, of_grant)
    consent = (f"the consent to {app}", derived_identity(identity, "consent"))
    found: list[Send] = []
    for key, origin in _origins(*_urls_of(servers)):
        to = way.at(origin, key, app)
        if key in _OF_CONSENT:
            found.append(Send(*consent, to))
        if key != "authorize_url":  # a browser goes there, and no secret
            found.append(Send(*sent, to))
    found.append(Send(grant, of_grant, api.with_use(client_id=app)))
    return found


@lru_cache(maxsize=1024)  # thousands of connections use a few servers
def _origins(*urls: str) -> tuple[tuple[str, str], ...]:
    """Return the keys of a server's URLs and their origins, without those that it doesn't have."""
    return tuple((key, origin_of(url)) for key, url in zip(SERVER_URLS, urls, strict=True) if url)


def identity_of_client(app: str, servers: AuthorizationServer) -> SecretIdentity:
    """Return what stands for the secret that a public client doesn't have: its name at its server."""
    return SecretIdentity("client", app, server=(origin_of(servers.token_url or servers.issuer),))
