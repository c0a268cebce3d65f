"""Which secret of a specification is sent where: to the API, to an authorization server, a secret store, a proxy.

Layer 3, no IO. It reads recorded specifications in the same way as declared ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from connform.auth.interface import SecretUse
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

_Uses: TypeAlias = Mapping[str, Sequence[SecretUse]]
"""Key of a secret → where it is sent; of what is obtained by secrets, the key is empty."""
_NOWHERE = Span("", 1, 1, 1, 1)
_NO_FOLDER = Path()
_PLACES = frozenset({"headers", "query", "basic"})
"""The keys under `auth:` that say where secrets are sent."""
_NO_SERVER = AuthorizationServer()


def sends(spec: Mapping[str, Any]) -> tuple[Send, ...]:
    """Return the secrets that a connection with this specification sends, each with its destinations."""
    settings, stores, folder = spec["settings"], spec["stores"], spec.get("folder", ".")
    auth, definition = settings["auth"], recorded_definition(spec)
    method = usable_method(settings, definition)
    has_grant = getattr(method, "uses_grant", False)
    needs_server = has_grant or getattr(method, "obtains_token", False)
    of_provider = _provider_server(settings, definition) if needs_server else _NO_SERVER
    servers = server(auth, of_provider) if needs_server else _NO_SERVER
    way = way_of(settings, folder)
    api = way.at_api(origin_of(spec["base_url"]), environment_class(settings, definition))
    references, uses = references_for(method, auth), _uses(method, auth, of_provider)
    found: list[Send] = []
    for key, reference in references.items():
        store = stores.get(reference.scheme)
        secret, identity = str(reference), identity_of(reference, store, folder)
        if has_grant and not any(use.place for use in uses.get(key, ())):
            found += oauth_sends(secret, identity, auth["client_id"], servers, way, api)
        else:
            found += _sends_of_method(key, secret, identity, uses, way, api)
        found += store_sends(reference, store)
    for reference in proxy_references(settings).values():
        store = stores.get(reference.scheme)
        found.append(Send(str(reference), identity_of(reference, store, folder), proxy_of(way)))
        found += store_sends(reference, store)
    if has_grant and not references:
        app = auth["client_id"]
        found += oauth_sends("", identity_of_client(app, servers), app, servers, way, api)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _sends_of_method(
    key: str, secret: str, identity: SecretIdentity, uses: _Uses, way: Destination, api: Destination
) -> list[Send]:
    """Return where the method sends a secret: by default to the API. What is obtained by it goes where the method says."""
    own = uses.get(key) or (SecretUse(key),)
    found = [Send(secret, identity, _destination(use, way, api)) for use in own]
    if "" in uses and any(use.url for use in own):
        token = derived_identity(identity, "token")
        found += [Send("the token that it obtains", token, _destination(use, way, api)) for use in uses[""]]
    return found


@lru_cache(maxsize=1024)  # thousands of connections send their secrets to a few servers
def _destination(use: SecretUse, way: Destination, api: Destination) -> Destination:
    return way.at(origin_of(use.url), use.use) if use.url else api.with_use(use.use, use.place)


def _uses(method: Any, auth: Mapping[str, Any], of_provider: AuthorizationServer) -> _Uses:
    """Return where a method sends its secrets, as it says itself; none if it doesn't say, or can't be used."""
    by_keys = _uses_by_keys(method, tuple(auth))
    if by_keys is not None:
        return by_keys
    auth = {**getattr(method, "defaults", {}), **auth}
    servers = server(auth, of_provider)
    if "login" in auth and not servers.login_url:  # that of the connection, if the provider has none
        servers = servers._replace(login_url=auth["login"].get("url", ""))
    return _by_key(method.uses(auth, servers))


@lru_cache(maxsize=1024)  # thousands of connections have the same few methods
def _uses_by_keys(method: Any, keys: tuple[str, ...]) -> _Uses | None:
    """Return where a method sends its secrets; `None` if that depends on more than which keys there are."""
    if getattr(method, "uses", None) is None:
        return {}
    if not getattr(method, "uses_by_keys", False) or not _PLACES.isdisjoint(keys):
        return None
    found = _by_key(method.uses({**dict.fromkeys(keys), **method.defaults}, _NO_SERVER))
    # Without places, `oauth_sends` knows where a grant goes.
    return None if found and getattr(method, "uses_grant", False) else found


def _by_key(uses: Iterable[SecretUse]) -> _Uses:
    found: dict[str, list[SecretUse]] = {}
    for use in uses:
        found.setdefault(use.key, []).append(use)
    return found


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
