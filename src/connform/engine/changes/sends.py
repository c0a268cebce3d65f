"""Which secret of a specification is sent where: to the API, to an authorization server, a secret store, a proxy.

Layer 3, no IO. It reads recorded specifications in the same way as declared ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connform.auth.interface import AuthMethod, SecretUse
from connform.auth.kit.client import server
from connform.auth.oauth.server import AuthorizationServer
from connform.diagnostics import Span
from connform.engine.changes.definition_part import recorded_definition
from connform.engine.changes.destination import Destination, Send, proxy_of, way_of
from connform.engine.changes.oauth_sends import identity_of_client, oauth_sends
from connform.engine.changes.secret_identity import SecretIdentity, derived_identity, identity_of, origin_of
from connform.engine.changes.store_sends import store_sends
from connform.engine.load.catalog import DEFAULT_PROVIDER, Definition, provider, references_for, usable_method
from connform.engine.load.environment_class import environment_class
from connform.engine.load.provider_server import server_of
from connform.errors import ConnectionFailed
from connform.manifest.model import Connection
from connform.manifest.proxy import proxy_references

_NOWHERE = Span("", 1, 1, 1, 1)
_NO_FOLDER = Path()
_NO_SERVER = AuthorizationServer()


def sends(spec: Mapping[str, Any]) -> tuple[Send, ...]:
    """Return the secrets that a connection with this specification sends, each with its destinations."""
    settings, stores, folder = spec["settings"], spec["stores"], spec.get("folder", ".")
    auth, definition = settings["auth"], recorded_definition(spec)
    method = usable_method(settings, definition)
    has_grant = getattr(method, "uses_grant", False)
    needs_server = has_grant or getattr(method, "obtains_token", False)
    of_provider = _provider_server(settings, definition) if needs_server else _NO_SERVER
    way = way_of(settings, folder)
    api = way.at_api(origin_of(spec["base_url"]), environment_class(settings, definition))
    references, uses = references_for(method, auth), _uses(method, auth, of_provider)
    found: list[Send] = []
    for key, reference in references.items():
        store = stores.get(reference.scheme)
        secret, identity = str(reference), identity_of(reference, store, folder)
        if has_grant and not any(use.place for use in uses if use.key == key):
            found += oauth_sends(secret, identity, auth["client_id"], server(auth, of_provider), way, api)
        else:
            found += _sends_of_method(key, secret, identity, uses, way, api)
        found += store_sends(reference, store)
    for reference in proxy_references(settings).values():
        store = stores.get(reference.scheme)
        found.append(Send(str(reference), identity_of(reference, store, folder), proxy_of(way)))
        found += store_sends(reference, store)
    if has_grant and not references:
        app, servers = auth["client_id"], server(auth, of_provider)
        found += oauth_sends("", identity_of_client(app, servers), app, servers, way, api)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _sends_of_method(
    key: str, secret: str, identity: SecretIdentity, uses: Sequence[SecretUse], way: Destination, api: Destination
) -> Iterator[Send]:
    """Yield where the method sends a secret: by default to the API. What is obtained by it goes where the method says."""
    own = [use for use in uses if use.key == key] or [SecretUse(key)]
    for use in own:
        yield Send(secret, identity, _destination(use, way, api))
    if any(use.url for use in own):
        token = derived_identity(identity, "token")
        for use in uses:
            if not use.key:
                yield Send("the token that it obtains", token, _destination(use, way, api))


def _destination(use: SecretUse, way: Destination, api: Destination) -> Destination:
    return way.at(origin_of(use.url), use.use) if use.url else api.with_use(use.use, use.place)


def _uses(method: AuthMethod | None, auth: Mapping[str, Any], of_provider: AuthorizationServer) -> list[SecretUse]:
    """Return where a method sends its secrets, as it says itself; none if it doesn't say, or can't be used."""
    uses = getattr(method, "uses", None)
    if uses is None:
        return []
    auth = {**getattr(method, "defaults", {}), **auth}
    servers = server(auth, of_provider)
    if "login" in auth and not servers.login_url:  # that of the connection, if the provider has none
        servers = servers._replace(login_url=auth["login"].get("url", ""))
    return list(uses(auth, servers))


def _provider_server(settings: Mapping[str, Any], definition: Definition) -> AuthorizationServer:
    """Return the authorization server of the provider.

    It is empty if the provider is no longer installed, or no longer accepts the settings.
    """
    name = settings.get("provider", DEFAULT_PROVIDER)
    try:
        instance = provider(name, definition).instance(Connection("", name, settings, _NO_FOLDER, _NOWHERE))
    except (LookupError, ValueError, ConnectionFailed):  # the settings were valid when they were recorded
        return _NO_SERVER
    return server_of(instance)
