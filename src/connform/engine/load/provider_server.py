"""The authorization server that a provider knows. Layer 3, no IO."""

from __future__ import annotations

from connform.auth.oauth.server import AuthorizationServer
from connform.providers.interface import Instance


def server_of(instance: Instance) -> AuthorizationServer:
    """Return the endpoints that a provider knows for a connection."""
    return AuthorizationServer(
        instance.authorize_url,
        instance.token_url,
        instance.revoke_url,
        refresh_url=instance.refresh_url,
        device_authorization_url=instance.device_authorization_url,
        login_url=instance.login_url,
    )
