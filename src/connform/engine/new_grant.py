"""A new grant of an OAuth connection: what every way to log in shares, and a refresh token from elsewhere.

Layer 3; uses the network and the table of grants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from connform.auth.interface import AuthInputs
from connform.auth.kit import client
from connform.auth.oauth.freshness import is_fresh
from connform.auth.oauth.server import discover
from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, GrantRefused, Tokens
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.oauth.unsaved import UnsavedGrant
from connform.engine.load.scopes import missing_scopes
from connform.engine.logins import grant_problem
from connform.engine.run.end_grant import LOCK_S
from connform.errors import ConnectionFailed, Refused
from connform.grant import Grant, GrantFacts, LockedGrant
from connform.secret import Secret


class LoginResult(NamedTuple):
    """The result of a login."""

    facts: GrantFacts
    """The facts of the new grant."""
    missing_scopes: tuple[str, ...]
    """The scopes that the manifest requests and the customer did not grant."""
    has_replaced: bool
    """Whether it replaced a grant that lives on at its server. It isn't revoked: many servers end all grants of app and customer at once."""
    place: str
    """The name of the database that holds it."""


class NewGrant:
    """A login that has begun. A subclass says how the person consents."""

    def __init__(self, inputs: AuthInputs, scopes: tuple[str, ...], needed: Sequence[str]) -> None:
        """Find the endpoints of the server, and check that a grant can be stored.

        Args:
            inputs: the inputs of the connection's auth method.
            scopes: the scopes to request.
            needed: the endpoints that the login needs; they are discovered if the manifest has only the server's `issuer`.

        Raises:
            ConnectionFailed: as for `auth.oauth.server.discover`; a fault of the state database, before the person does anything.
        """
        self._inputs = inputs
        with self._lock():
            pass
        self._server = server = discover(client.grant_server(inputs), inputs.client, needed)
        self._endpoint = TokenEndpoint(
            server.token_url,
            client.app(inputs),
            inputs.client,
            options=server.options,
            refresh_url=server.refresh_url,
        )
        self.scopes = scopes
        """The requested scopes."""

    def import_token(self, refresh_token: Secret) -> LoginResult:
        """Renew a refresh token that was obtained elsewhere, and store the result as the grant.

        Raises:
            Refused: there is a working grant. If the token is an older one of it, sending it could end that grant.
            ConnectionFailed: `login_required`, the server refuses the token; otherwise as for `finish`.
        """
        with self._lock() as locked:
            self._require_no_working_grant(locked.read())
            try:
                tokens = self._endpoint.refresh(refresh_token)
            except EndpointFailed as failure:
                raise without_stored_grant(failure) from None
            except GrantRefused:
                raise ConnectionFailed(
                    "login_required",
                    "the server does not accept the refresh token: it was spent, revoked, or belongs to another app",
                ) from None
            except AnswerLost as lost:
                message = f"the answer with the new token was lost: {lost}"
                raise ConnectionFailed("refresh_interrupted", message) from None
            return self._save(locked, tokens._replace(refresh_token=tokens.refresh_token or refresh_token))

    def _require_no_working_grant(self, stored: Grant | None) -> None:
        name, settings = self._inputs.connection, self._inputs.settings
        if stored is None or grant_problem(settings, client.server(settings, self._inputs.server), stored.facts)[0]:
            return
        raise Refused(
            f"{name} has a grant that works, and nothing was sent: a server ends a grant whose old refresh token comes again. "
            f"To put another in its place, give it up first: connform logout {name}, with --only-here where it lives on elsewhere"
        )

    @contextmanager
    def _lock(self) -> Iterator[LockedGrant]:
        """Lock the grant, and check that it can be stored before a code or a refresh token is spent."""
        with self._inputs.grants().lock(self._inputs.connection, LOCK_S) as locked:
            locked.check_writable()
            yield locked

    def _save(self, locked: LockedGrant, tokens: Tokens) -> LoginResult:
        now = datetime.now(UTC)
        scopes = self.scopes if tokens.scopes is None else tokens.scopes
        facts = GrantFacts(
            connection=self._inputs.connection,
            token_url=self._server.token_url,
            client_id=self._inputs.settings["client_id"],
            scopes=scopes,
            obtained_at=now,
            expires_at=_end(now, tokens.lifetime_s),
            is_renewable=tokens.refresh_token is not None,
            revoke_url=self._server.revoke_url,
            granted_at=now,
            account=tokens.account,
            refresh_ends_at=_end(now, tokens.refresh_lifetime_s),
        )
        grant, replaced = Grant(facts, tokens.access_token, tokens.refresh_token), None
        with suppress(ConnectionFailed):  # a damaged record is replaced as well
            replaced = locked.read()
        try:
            locked.write(grant)
        except ConnectionFailed as failure:
            UnsavedGrant(facts.connection, lambda: locked.write(grant), failure, "start the login again")
        missing = missing_scopes(self.scopes, facts)
        return LoginResult(
            facts,
            missing,
            has_replaced=replaced is not None and _is_alive(replaced.facts, now),
            place=self._inputs.grants().place,
        )


def without_stored_grant(failure: EndpointFailed) -> ConnectionFailed:
    """Return the failure of a call that spent nothing that is stored."""
    hint = "try again later, with a new login" if failure.may_be_spent else failure.hint
    return ConnectionFailed(failure.fault.name, failure.message, hint)


def _end(now: datetime, lifetime_s: float | None) -> datetime | None:
    return None if lifetime_s is None else now + timedelta(seconds=lifetime_s)


def _is_alive(facts: GrantFacts, now: datetime) -> bool:
    return not facts.ended and (facts.is_renewable or is_fresh(facts, now))
