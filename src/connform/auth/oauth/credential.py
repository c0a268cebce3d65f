"""The credential of a grant: sends its access token, and renews it with the refresh token.

Layer 2; no IO of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.renewal import Renewal, bearer_lines
from connform.auth.oauth.renewed_credential import RenewedCredential, now_utc
from connform.auth.oauth.server import AuthorizationServer
from connform.grant import GrantStore
from connform.http.credential import HeaderLines
from connform.http.header import BEARER_SCHEME
from connform.http.settings import ClientSettings
from connform.secret import Secret


class GrantCredential(RenewedCredential):
    """The credential of the grant of one connection. Threads and tasks may share it."""

    def __init__(
        self,
        connection: str,
        store: GrantStore,
        server: AuthorizationServer,
        app: App,
        settings: ClientSettings,
        *,
        clock: Callable[[], datetime] = now_utc,
        lines: Callable[[Secret], HeaderLines] = bearer_lines,
        scheme: str = BEARER_SCHEME,
    ) -> None:
        """Make the credential. The grant is read at the first request.

        Args:
            connection: the name of the connection.
            store: where the grant is stored.
            server: the declared authorization server; a grant of another one is refused.
            app: the OAuth client.
            settings: TLS, proxy and time-outs for the token endpoint.
            clock: returns the current time, aware UTC.
            lines: returns what carries a token.
            scheme: the authentication scheme in front of it; empty for none.
        """
        super().__init__(Renewal(connection, store, server, app, settings, clock, lines), scheme, clock)
