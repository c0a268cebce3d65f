"""The verbs `login` and `logout`: obtains and stores an OAuth grant; revokes and deletes it.

Layer 3; uses the network and the table of grants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from connform.auth import client
from connform.auth.interface import AuthInputs
from connform.auth.oauth import authorization
from connform.auth.oauth.freshness import is_fresh
from connform.auth.oauth.server import discover
from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, GrantRefused, Tokens
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.oauth.unsaved import UnsavedGrant
from connform.engine.load.catalog import has_grant
from connform.engine.load.manifest import load_manifest
from connform.engine.load.scopes import missing_scopes, requested_scopes
from connform.engine.load.selection import unknown_connection
from connform.engine.logins import grant_problem
from connform.engine.run.client import bare_settings
from connform.engine.run.context import run_context
from connform.engine.run.end_grant import LOCK_S, end_grant
from connform.engine.run.grants import StoredGrants
from connform.engine.run.resolve import resolve
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed, Refused, UnknownConnection
from connform.grant import Grant, GrantFacts, LockedGrant
from connform.manifest.decode import Manifest
from connform.manifest.model import Connection
from connform.secret import Secret
from connform.tracebacks import hidden_frames


class LoginResult(NamedTuple):
    """The result of a login."""

    facts: GrantFacts
    """The facts of the new grant."""
    missing_scopes: tuple[str, ...]
    """The scopes that the manifest requests and the customer did not grant."""
    has_replaced: bool
    """Whether it replaced a grant that lives on at its server. It isn't revoked: many servers end all grants of app and customer at once."""


class Login:
    """A login in progress. A person opens `url`; `finish` takes the address of the page to which the server redirected them."""

    def __init__(self, inputs: AuthInputs, scopes: tuple[str, ...]) -> None:
        """Start a login. Discovers the endpoints of the server if the manifest has only its `issuer`.

        Args:
            inputs: the inputs of the connection's auth method.
            scopes: the scopes to request.

        Raises:
            ConnectionFailed: as for `auth.oauth.server.discover`; a fault of the state database, before the person does anything.
        """
        self._inputs = inputs
        with self._lock():
            pass
        self._server = discover(client.server(inputs.settings, inputs.server), inputs.client)
        self._endpoint = TokenEndpoint(self._server.token_url, client.app(inputs), inputs.client)
        self.scopes = scopes
        """The requested scopes."""
        self.redirect_uri: str = inputs.settings["redirect_uri"]
        """The address to which the server redirects the person."""
        self._request = authorization.start(
            self._server.authorize_url,
            inputs.settings["client_id"],
            self.redirect_uri,
            self.scopes,
            self._server.issuer,
            is_issuer_required=self._server.is_named_in_answers,
        )
        self.url = self._request.url
        """The address that the person opens."""

    def is_answer(self, query: str) -> bool:
        """Return whether the query of an address holds the `state` of this login."""
        return authorization.is_answer(self._request, query)

    @property
    def is_answered(self) -> bool:
        """Whether an answer was read; another is refused."""
        return self._request.answered.locked()

    def finish(self, address: Secret) -> LoginResult:
        """Exchange the code in `address` for tokens, and store them as the new grant. A second address is refused.

        Raises:
            ConnectionFailed: as for `authorization.read_callback` and `TokenEndpoint.exchange`; a fault of the state database.
        """
        with hidden_frames():
            code = authorization.read_callback(self._request, address.reveal())
        with self._lock() as locked:
            try:
                tokens = self._endpoint.exchange(code, self._request.verifier, self.redirect_uri)
            except EndpointFailed as failure:
                raise _without_stored_grant(failure) from None
            except GrantRefused:
                message = "the server no longer accepts the code: it was used already, or is too old"
                raise ConnectionFailed("login_bad_callback", message, "start the login again") from None
            except AnswerLost as lost:
                message = f"the answer with the tokens was lost: {lost}"
                raise ConnectionFailed("token_endpoint_unavailable", message, "start the login again") from None
            return self._save(locked, tokens)

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
                raise _without_stored_grant(failure) from None
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
            expires_at=None if tokens.lifetime_s is None else now + timedelta(seconds=tokens.lifetime_s),
            is_renewable=tokens.refresh_token is not None,
            revoke_url=self._server.revoke_url,
            granted_at=now,
        )
        grant, replaced = Grant(facts, tokens.access_token, tokens.refresh_token), None
        with suppress(ConnectionFailed):  # a damaged record is replaced as well
            replaced = locked.read()
        try:
            locked.write(grant)
        except ConnectionFailed as failure:
            UnsavedGrant(facts.connection, lambda: locked.write(grant), failure, "start the login again")
        missing = missing_scopes(self.scopes, facts)
        return LoginResult(facts, missing, has_replaced=replaced is not None and _is_alive(replaced.facts, now))


def _without_stored_grant(failure: EndpointFailed) -> ConnectionFailed:
    """Return the failure of a call that spent nothing that is stored."""
    hint = "try again later, with a new login" if failure.may_be_spent else failure.hint
    return ConnectionFailed(failure.fault.name, failure.message, hint)


def _is_alive(facts: GrantFacts, now: datetime) -> bool:
    return not facts.ended and (facts.is_renewable or is_fresh(facts, now))


@contextmanager
def login(files: Sequence[str], name: str, *, state: StateLocation, policies: Sequence[str] = ()) -> Iterator[Login]:
    """Yield a started login for one connection.

    Args:
        files: manifests; empty for the default search.
        name: the connection.
        state: where grants are stored.
        policies: policy files and folders that judge every connection.

    Raises:
        ManifestInvalid: the manifest has errors.
        UnknownConnection: no OAuth connection has that name.
        ConnectionFailed: a secret can't be resolved; as for `Login`.
    """
    with _auth_inputs(files, name, state, policies) as (connection, inputs):
        yield Login(inputs, requested_scopes(connection.settings, connection.definition))


def logout(
    files: Sequence[str],
    name: str,
    *,
    state: StateLocation,
    policies: Sequence[str] = (),
    only_here: bool = False,
    force: bool = False,
) -> str:
    """Revoke and delete the grant of a connection, and delete its issued token; return a message that says what happened.

    Arguments and errors as for `login`. If its server has no known revocation endpoint, or is no longer declared, the
    grant is only deleted. If the server can't be reached, nothing is deleted. `only_here` deletes without revoking. `force` permits a
    server other than the one that issued the grant.

    Raises:
        Refused: the grant would be revoked at another server, without `force`. Nothing was sent.
    """
    manifest = load_manifest(files, policies)
    has_deleted_token = _delete_token(manifest, name, state)
    if has_deleted_token and not (name in manifest and has_grant(manifest[name])):
        return f"the token of {name} was deleted here"
    if only_here:
        return _delete(manifest, name, state)
    with _auth_inputs(files, name, state, policies) as (_, inputs):
        try:
            return end_grant(inputs, force=force)
        except Refused as refused:
            hint = f"Correct it, or give --force if the vendor documents it so; connform logout {name} --only-here revokes nothing"
            raise Refused(f"refused, nothing was sent: {refused}. {hint}") from None


def _delete_token(manifest: Manifest, name: str, state: StateLocation) -> bool:
    """Delete the issued token of a connection, which may be no longer declared; return whether there was one."""
    with closing(StoredGrants(state, SecretResolver(manifest.stores))) as grants:
        were_there = [grants.table_for_folder(folder).tokens.delete(name) for folder in manifest.folders]
        return any(were_there)


def _delete(manifest: Manifest, name: str, state: StateLocation) -> str:
    """Delete a grant without revoking it; its connection may be no longer declared."""
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
def _auth_inputs(
    files: Sequence[str], name: str, state: StateLocation, policies: Sequence[str]
) -> Iterator[tuple[Connection, AuthInputs]]:
    manifest = load_manifest(files, policies)
    if name not in manifest:
        raise UnknownConnection(unknown_connection(name, manifest))
    connection = manifest[name]
    if not has_grant(connection):
        message = f"{name} authenticates with {connection.auth.method}: only an OAuth connection has a grant"
        raise UnknownConnection(message)
    with run_context(manifest, simulate=False, state=state) as context:
        yield connection, resolve(connection, context, bare_settings(connection, context))
