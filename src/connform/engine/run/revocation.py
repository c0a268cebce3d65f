"""Choice of the URL at which a grant is revoked, with the rule that its refresh token goes to no foreign server.

Layer 3, no IO but what `discover` asks of an issuer.
"""

from __future__ import annotations

from connform.auth.kit import client
from connform.auth.oauth.server import AuthorizationServer, discover, same_origin
from connform.engine.load.catalog import provider_of
from connform.errors import Refused
from connform.grant import GrantFacts
from connform.http.settings import ClientSettings
from connform.manifest.model import Connection
from connform.manifest.urls import parse_url


def revoke_url(server: AuthorizationServer, facts: GrantFacts, settings: ClientSettings, *, force: bool = False) -> str:
    """Return the revocation URL of a grant: the declared one, else the one that its login recorded; empty if unknown.

    If neither is known, and the server has an issuer, the issuer's metadata are asked.

    Args:
        server: the server that manifest and provider declare; it may renew the grant.
        facts: the facts of the grant, authenticated by its seal.
        settings: client settings for the request of an issuer's metadata.
        force: whether the token may go to any server that the manifest names.

    Raises:
        Refused: the declared URL is on another server than the token endpoint, and isn't the one that the login recorded.
    """
    if problem := foreign_server_problem(server, facts):
        if not force:
            raise Refused(problem)
        return server.revoke_url
    if server.revoke_url:
        return server.revoke_url
    if same_origin(facts.revoke_url, facts.token_url):  # a recorded URL is used only on the token's own server
        return facts.revoke_url
    return discover(server, settings).revoke_url if server.issuer else ""


def foreign_server_problem(server: AuthorizationServer, facts: GrantFacts) -> str:
    """Return why a grant's refresh token may not be sent to the declared revocation URL; empty if it may."""
    url = server.revoke_url
    if not url or url == facts.revoke_url or same_origin(url, facts.token_url):
        return ""
    revocation_origin, token_origin = parse_url(url).origin, parse_url(facts.token_url).origin
    return (
        f"the grant of {facts.connection} comes from {token_origin}, and its refresh token would go to {revocation_origin} (`revoke_url`), of which its "
        "login knew nothing"
    )


def declared_server(connection: Connection) -> AuthorizationServer:
    """Return the authorization server of an OAuth connection, from its manifest and its provider."""
    instance = provider_of(connection).instance(connection)
    provider_server = AuthorizationServer(instance.authorize_url, instance.token_url, instance.revoke_url)
    return client.server(connection.auth.settings, provider_server)
