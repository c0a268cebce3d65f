"""The verbs `login` and `logout`: obtains and stores an OAuth grant; revokes and deletes it.

Layer 3; uses the network and the table of grants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

from connform.auth.interface import AuthInputs
from connform.auth.oauth import authorization, pasted
from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, GrantRefused
from connform.engine.device_login import DeviceLogin
from connform.engine.load.catalog import has_grant, method_of
from connform.engine.load.manifest import load_manifest
from connform.engine.load.scopes import requested_scopes
from connform.engine.load.selection import unknown_connection
from connform.engine.new_grant import LoginResult, NewGrant, without_stored_grant
from connform.engine.run.client import bare_settings
from connform.engine.run.context import run_context
from connform.engine.run.end_grant import LOCK_S, end_grant
from connform.engine.run.grants import StoredGrants
from connform.engine.run.resolve import resolve
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed, Refused, UnknownConnection
from connform.manifest.decode import Manifest
from connform.manifest.model import Connection
from connform.secret import Secret
from connform.tracebacks import hidden_frames


class CodeRefused(ConnectionFailed):
    """`login_bad_callback`: the code was sent and refused, so that only another login, with `Login.start_again`, can succeed."""


class Login(NewGrant):
    """A login in a browser. A person opens `url`; `finish` takes the address of the page to which the server redirected them."""

    def __init__(self, inputs: AuthInputs, scopes: tuple[str, ...]) -> None:
        """Start a login; arguments and errors as for `NewGrant`."""
        super().__init__(inputs, scopes, ("authorize_url", "token_url"))
        self.redirect_uri: str = inputs.settings["redirect_uri"]
        """The address to which the server redirects the person."""
        self._start = partial(
            authorization.start,
            self._server.authorize_url,
            inputs.settings["client_id"],
            self.redirect_uri,
            self.scopes,
            self._server.issuer,
            is_issuer_required=self._server.is_named_in_answers,
            has_pkce=self._server.has_pkce or self._endpoint.app.client_secret is None,
        )
        self.start_again()

    def start_again(self) -> None:
        """Begin again with another address; the former one is no longer good."""
        self._request = self._start()

    @property
    def url(self) -> str:
        """The address that the person opens."""
        return self._request.url

    @property
    def has_device_code(self) -> bool:
        """Whether its server is known to take logins on another device."""
        return bool(self._server.device_authorization_url)

    def address_in(self, text: Secret) -> Secret:
        """Return the address in what a person pasted; errors as for `pasted.address_in`."""
        with hidden_frames():
            return Secret(pasted.address_in(text.reveal(), self._request))

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
            CodeRefused: the server doesn't accept the code.
            ConnectionFailed: as for `authorization.read_callback` and `TokenEndpoint.exchange`; a fault of the state database.
        """
        with hidden_frames():
            code = authorization.read_callback(self._request, address.reveal())
        with self._lock() as locked:
            try:
                tokens = self._endpoint.exchange(code, self._request.verifier, self.redirect_uri)
            except EndpointFailed as failure:
                raise without_stored_grant(failure) from None
            except GrantRefused:
                message = "the server does not accept the code: it was used already, is too old, or was cut off"
                raise CodeRefused("login_bad_callback", message, "start the login again") from None
            except AnswerLost as lost:
                message = f"the answer with the tokens was lost: {lost}"
                raise ConnectionFailed("token_endpoint_unavailable", message, "start the login again") from None
            return self._save(locked, tokens)


@contextmanager
def login(
    files: Sequence[str], name: str, *, state: StateLocation, policies: Sequence[str] = (), by_device: bool = False
) -> Iterator[Login | DeviceLogin]:
    """Yield a started login for one connection.

    Args:
        files: manifests; empty for the default search.
        name: the connection.
        state: where grants are stored.
        policies: policy files and folders that judge every connection.
        by_device: whether the person consents on another device (RFC 8628), as always where the auth method has no redirect.

    Raises:
        ManifestInvalid: the manifest has errors.
        UnknownConnection: no OAuth connection has that name.
        ConnectionFailed: a secret can't be resolved; as for `Login` and `DeviceLogin`.
    """
    with _auth_inputs(files, name, state, policies) as (connection, inputs):
        scopes = requested_scopes(connection.settings, connection.definition)
        is_device = by_device or "redirect_uri" not in inputs.settings
        yield DeviceLogin(inputs, scopes) if is_device else Login(inputs, scopes)


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
    connection = manifest.get(name)
    has_deleted_token = _delete_token(manifest, name, state)
    if has_deleted_token and not (connection and has_grant(connection)):
        return f"the token of {name} was deleted here"
    if connection and getattr(method_of(connection), "obtains_token", False):
        return f"{name} has no token in a state"
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
