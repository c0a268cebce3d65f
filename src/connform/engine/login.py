"""Turns a person's consent into a grant that is kept, and a grant into none: the start and the end of its life.

Layer 3; uses the network and the store of grants.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from connform.auth import oauth2
from connform.auth.oauth import authorization
from connform.auth.oauth.server import discover
from connform.auth.oauth.token_endpoint import AnswerLost, GrantRefused, TokenEndpoint
from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import unknown_connection
from connform.engine.logins import problem
from connform.engine.run.client import bare_settings
from connform.engine.run.context import run_context
from connform.engine.run.end_grant import LOCK_S, end_grant
from connform.engine.run.grants import StoredGrants
from connform.engine.run.resolve import resolve
from connform.engine.run.secret_resolver import SecretResolver
from connform.errors import ConnectionFailed, Refused, UnknownConnection
from connform.grant import Grant, GrantFacts
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.auth.interface import AuthInputs
    from connform.auth.oauth.token_endpoint import Tokens
    from connform.engine.run.state_location import StateLocation
    from connform.grant import LockedGrant
    from connform.manifest.decode import Manifest
    from connform.secret import Secret


class Granted(NamedTuple):
    """What came of a login."""

    facts: GrantFacts
    """The grant."""
    missing_scopes: tuple[str, ...]
    """What the manifest asks for and the customer did not grant."""


class Login:
    """One login that has begun: a person opens `url`; `finish` takes the address on which they ended."""

    def __init__(self, given: AuthInputs) -> None:
        """Begin; looks for the server's endpoints where the manifest says `issuer` alone.

        Raises:
            ConnectionFailed: as for `auth.oauth.server.discover`; a fault of the store, before a person is asked.
        """
        self._given = given
        with self._locked():
            pass
        self._server = discover(oauth2.server(given.settings, given.server), given.client)
        self._endpoint = TokenEndpoint(self._server.token_url, oauth2.app(given), given.client)
        self.scopes = tuple(given.settings.get("scopes", oauth2.DEFAULT_SCOPES))
        """What is asked for."""
        self.redirect_uri: str = given.settings["redirect_uri"]
        """Where the server sends the person back to."""
        self._request = authorization.start(
            self._server.authorize_url,
            given.settings["client_id"],
            self.redirect_uri,
            self.scopes,
            self._server.issuer,
        )
        self.url = self._request.url
        """What the person opens."""

    def finish(self, address: Secret) -> Granted:
        """Exchange the code in `address`, and keep the grant in place of the one before; the first answer is the only one.

        Raises:
            ConnectionFailed: as for `authorization.read_callback` and `TokenEndpoint.exchange`; a fault of the store.
        """
        with hidden_frames():
            code = authorization.read_callback(self._request, address.reveal())
        with self._locked() as locked:
            try:
                tokens = self._endpoint.exchange(code, self._request.verifier, self.redirect_uri)
            except GrantRefused:
                message = "the server no longer accepts the code: it was used already, or is too old"
                raise ConnectionFailed("login_bad_callback", message, "start the login again") from None
            except AnswerLost as lost:
                message = f"the answer with the tokens was lost: {lost}"
                raise ConnectionFailed("token_endpoint_unavailable", message, "start the login again") from None
            return self._keep(locked, tokens)

    def take(self, refresh_token: Secret) -> Granted:
        """Keep a grant that was obtained elsewhere, once the server has renewed it.

        Raises:
            Refused: there is a grant that works: if the token is an old one of it, its server would end it.
            ConnectionFailed: `login_required`, the server doesn't accept it; otherwise as for `finish`.
        """
        with self._locked() as locked:
            self._refuse_to_risk(locked.read())
            try:
                tokens = self._endpoint.refresh(refresh_token)
            except GrantRefused:
                message = (
                    "the server does not accept the refresh token: it was spent, revoked, or belongs to another app"
                )
                raise ConnectionFailed("login_required", message) from None
            except AnswerLost as lost:
                message = f"the answer with the new token was lost: {lost}"
                raise ConnectionFailed("refresh_interrupted", message) from None
            return self._keep(locked, tokens._replace(refresh_token=tokens.refresh_token or refresh_token))

    def _refuse_to_risk(self, kept: Grant | None) -> None:
        name, settings = self._given.connection, self._given.settings
        if kept is None or problem(settings, oauth2.server(settings, self._given.server), kept.facts)[0]:
            return
        message = (
            f"{name} has a grant that works, and nothing was sent: a server ends a grant whose old refresh token comes again. "
            f"To put another in its place, give it up first: connform logout {name}, with --only-here where it lives on elsewhere"
        )
        raise Refused(message)

    @contextmanager
    def _locked(self) -> Iterator[LockedGrant]:
        """Hold the grant's lock; and prove that the store can be written, before anything is spent that can't be had twice."""
        with self._given.grants().lock(self._given.connection, LOCK_S) as locked:
            locked.prove()
            yield locked

    def _keep(self, locked: LockedGrant, tokens: Tokens) -> Granted:
        now = datetime.now(UTC)
        scopes = self.scopes if tokens.scopes is None else tokens.scopes
        facts = GrantFacts(
            connection=self._given.connection,
            token_url=self._server.token_url,
            client_id=self._given.settings["client_id"],
            scopes=scopes,
            obtained_at=now,
            expires_at=None if tokens.lifetime_s is None else now + timedelta(seconds=tokens.lifetime_s),
            is_renewable=tokens.refresh_token is not None,
            revoke_url=self._server.revoke_url,
            granted_at=now,
        )
        locked.write(Grant(facts, tokens.access_token, tokens.refresh_token))
        return Granted(facts, tuple(scope for scope in self.scopes if scope not in scopes))


@contextmanager
def login(files: Sequence[str], name: str, *, state: StateLocation, policies: Sequence[str] = ()) -> Iterator[Login]:
    """Yield a login for one connection.

    Args:
        files: manifests; empty for the default search.
        name: the connection.
        state: where grants lie.
        policies: policy files and folders that judge every connection.

    Raises:
        ManifestInvalid: the manifest has errors.
        UnknownConnection: no OAuth connection has that name.
        ConnectionFailed: a secret can't be resolved; as for `Login`.
    """
    with _given(files, name, state, policies) as given:
        yield Login(given)


def logout(
    files: Sequence[str],
    name: str,
    *,
    state: StateLocation,
    policies: Sequence[str] = (),
    only_here: bool = False,
    force: bool = False,
) -> str:
    """Revoke the grant of a connection where its server can, and delete it; return what happened, for people.

    Arguments and errors as for `login`; nothing is deleted where the server can't be reached, unless `only_here`. With `force`,
    it may be revoked at another server than the one that gave it.

    Raises:
        Refused: it would be, without `force`; nothing was sent.
    """
    if only_here:
        return _delete(load_manifest(files, policies), name, state)
    with _given(files, name, state, policies) as given:
        try:
            return end_grant(given, force=force)
        except Refused as refused:
            hint = f"Correct it, or give --force if the vendor documents it so; connform logout {name} --only-here revokes nothing"
            message = f"refused, nothing was sent: {refused}. {hint}"
            raise Refused(message) from None


def _delete(manifest: Manifest, name: str, state: StateLocation) -> str:
    """Delete a grant unrevoked, be it that its connection is no longer declared."""
    with closing(StoredGrants(state, SecretResolver(manifest.stores))) as grants:
        for folder in manifest.folders:
            store = grants.table_for_folder(folder)
            if any(facts.connection == name for facts in store.facts()):
                with store.lock(name, LOCK_S) as locked:
                    locked.delete()
                return f"the grant of {name} was deleted here, not revoked"
    if name not in manifest:
        raise UnknownConnection(unknown_connection(name, manifest))
    return f"{name} has no grant"


@contextmanager
def _given(files: Sequence[str], name: str, state: StateLocation, policies: Sequence[str]) -> Iterator[AuthInputs]:
    manifest = load_manifest(files, policies)
    if name not in manifest:
        raise UnknownConnection(unknown_connection(name, manifest))
    connection = manifest[name]
    if connection.auth.method != "oauth2":
        message = f"{name} authenticates with {connection.auth.method}: only an OAuth connection has a grant"
        raise UnknownConnection(message)
    with run_context(manifest, simulate=False, state=state) as context:
        yield resolve(connection, context, bare_settings(connection, context))
