"""Destinations of secrets: each secret of a specification with every origin to which it is sent.

Layer 3, no IO. It reads recorded specifications in the same way as declared ones.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from connform.auth.interface import AuthMethod, SecretUse
from connform.auth.kit.client import SERVER_URLS, server
from connform.auth.oauth.server import AuthorizationServer
from connform.diagnostics import Span
from connform.engine.changes.definition_part import recorded_definition
from connform.engine.changes.secret_identity import SecretIdentity, identity_of, identity_of_file, origin_of, path_in
from connform.engine.load.catalog import (
    DEFAULT_PROVIDER,
    Definition,
    provider,
    references_for,
    store_reference_keys,
    usable_method,
)
from connform.engine.load.environment_class import environment_class
from connform.engine.load.vocabulary import all_store_reference_keys
from connform.engine.run.resolve import server_of
from connform.errors import ConnectionFailed
from connform.manifest.model import Connection
from connform.manifest.proxy import PROXY, proxy_references, proxy_url
from connform.secret import MalformedReferenceError, SecretReference
from connform.secrets.kit.service_account import TOKEN_REFERENCE

_WEB = ("https://", "http://")
_AZURE = "azurekv"
"""The backend whose references name the server."""
_OF_CONSENT = ("authorize_url", "device_authorization_url")
"""The endpoints that a person's consent depends on."""
_NOWHERE = Span("", 1, 1, 1, 1)
_NO_FOLDER = Path()
_SERVERS: Mapping[str, Mapping[str, str]] = {
    "awssecrets": {"endpoint_url": "AWS"},
    "awsssm": {"endpoint_url": "AWS"},
    "azurekv": {"authority": "https://login.microsoftonline.com"},
    "gcpsecrets": {"address": "https://secretmanager.googleapis.com"},
    "k8s": {"address": "the pod's cluster"},
    "vault": {"address": "VAULT_ADDR"},
}
"""Backend → the settings of its stores that name its servers, each with the default server or its name."""
_LOGINS = {
    "awssecrets": "this machine's login to AWS",
    "awsssm": "this machine's login to AWS",
    "azurekv": "this machine's login to Azure",
    "gcpsecrets": "this machine's login to Google Cloud",
}
"""Backend → the credential that opens its stores, if the manifest names no secret for that."""


class Destination(NamedTuple):
    """A server to which a secret is sent, and the settings that decide who can read it on the way."""

    url: str
    """Its origin: scheme, host and port; or a name for it, if the manifest doesn't contain its URL."""
    use: str = ""
    """What it is used for: `token_url`, `revoke_url`, `store vault`, `proxy`; empty for the API itself."""
    proxy: str = ""
    """The origin of the proxy, `environment`, or empty."""
    ca_file: str = ""
    """The file of trusted certificates; empty for those of the system."""
    client_cert: str = ""
    """The file of the client certificate; empty if there is none."""
    client_id: str = ""
    """The OAuth client; empty without OAuth."""
    place: str = ""
    """What carries it: `header X-Api-Key`; empty if that is the usual header."""
    environment_class: str = ""
    """The class of the connection's environment, for its API; it is compared and not shown."""

    @property
    def without_class(self) -> Destination:
        """The same without the class of the environment."""
        return Destination(*self[:-1]) if self.environment_class else self

    def at(self, url: str, use: str = "", client_id: str = "") -> Destination:
        """Return another server on the same way: with the same proxy and certificates."""
        return Destination(url, use, self.proxy, self.ca_file, self.client_cert, client_id)

    @property
    def details(self) -> list[str]:
        """Its details besides the URL, for messages."""
        details = [
            self.use,
            self.place,
            self.client_id and f"client {self.client_id}",
            self.proxy and f"proxy {self.proxy}",
            self.ca_file and f"CA {self.ca_file}",
            self.client_cert and f"client certificate {self.client_cert}",
        ]
        return [detail for detail in details if detail]

    def __str__(self) -> str:
        return f"{self.url} ({', '.join(self.details)})" if self.details else self.url


_DIRECT = Destination("")
"""What has neither a proxy nor certificates of its own."""


class Send(NamedTuple):
    """One secret, and one destination that gets it."""

    secret: str
    """The reference; or a description of a secret that has none."""
    identity: SecretIdentity
    """The identity of the secret."""
    to: Destination
    """The destination."""


def sends(spec: Mapping[str, Any]) -> tuple[Send, ...]:
    """Return the secrets that a connection with this specification sends, each with its destinations."""
    settings, stores = spec["settings"], spec["stores"]
    folder = spec.get("folder", ".")
    base = _destination_without_url(settings, folder)
    definition = recorded_definition(spec)
    class_ = environment_class(settings, definition)
    api = Destination(origin_of(spec["base_url"]), "", *base[2:5], environment_class=class_)
    found: dict[Send, None] = {}
    method = usable_method(settings, definition)
    has_grant = getattr(method, "uses_grant", False)
    references = references_for(method, settings["auth"])
    of_provider = _provider_server(settings, definition)
    destinations = _Destinations(settings["auth"], method, of_provider, base, api)
    for key, reference in references.items():
        store = stores.get(reference.scheme)
        secret, identity = str(reference), identity_of(reference, store, folder)
        if has_grant and not destinations.is_placed(key):
            found |= dict.fromkeys(_oauth_sends(secret, identity, settings["auth"], of_provider, base, api))
        else:
            found |= dict.fromkeys(destinations.of(key, secret, identity))
        found |= dict.fromkeys(_store_sends(reference, store))
    for reference in proxy_references(settings).values():
        store = stores.get(reference.scheme)
        found[Send(str(reference), identity_of(reference, store, folder), _proxy_of(base))] = None
        found |= dict.fromkeys(_store_sends(reference, store))
    if has_grant and not references:
        identity = _identity_of_client(settings["auth"], of_provider)
        found |= dict.fromkeys(_oauth_sends("", identity, settings["auth"], of_provider, base, api))
    return tuple(found)


class _Destinations:
    """The destinations of the secrets of an auth method without a grant, as the method itself says."""

    def __init__(
        self,
        auth: Mapping[str, Any],
        method: AuthMethod | None,
        of_provider: AuthorizationServer,
        base: Destination,
        api: Destination,
    ) -> None:
        auth = {**getattr(method, "defaults", {}), **auth}
        uses = getattr(method, "uses", None)
        self._uses: list[SecretUse] = list(uses(auth, _servers(auth, of_provider))) if uses else []
        self._base, self._api = base, api

    def of(self, key: str, secret: str, identity: SecretIdentity) -> Iterator[Send]:
        """Yield where a secret is sent: by default to the API. What is obtained by it goes where the method says."""
        uses = [use for use in self._uses if use.key == key] or [SecretUse(key)]
        for use in uses:
            yield Send(secret, identity, self._destination(use))
        if any(use.url for use in uses):
            token = _derived_identity(identity, "token")
            for use in self._uses:
                if not use.key:
                    yield Send("the token that it obtains", token, self._destination(use))

    def is_placed(self, key: str) -> bool:
        """Whether the method says where in a request to the API a secret is sent."""
        return any(use.key == key and use.place for use in self._uses)

    def _destination(self, use: SecretUse) -> Destination:
        if use.url:
            return self._base.at(origin_of(use.url), use.use)
        api = self._api
        way = api.proxy, api.ca_file, api.client_cert
        return Destination(api.url, use.use, *way, "", use.place, api.environment_class)


def _servers(auth: Mapping[str, Any], of_provider: AuthorizationServer) -> AuthorizationServer:
    """Return the server of a connection, whose login call is that of the connection if the provider has none."""
    found = server(auth, of_provider)
    return found._replace(login_url=auth["login"].get("url", "")) if "login" in auth and not found.login_url else found


def _identity_of_client(auth: Mapping[str, Any], of_provider: AuthorizationServer) -> SecretIdentity:
    """Return what stands for the secret that a public client doesn't have: its name at its server."""
    servers = server(auth, of_provider)
    return SecretIdentity("client", auth["client_id"], server=(origin_of(servers.token_url or servers.issuer),))


def _destination_without_url(settings: Mapping[str, Any], folder: str) -> Destination:
    if "tls" not in settings and "proxy" not in settings:
        return _DIRECT
    tls, proxy = settings.get("tls", {}), proxy_url(settings)
    return Destination(
        "",
        proxy=origin_of(proxy) if "://" in proxy else proxy,
        ca_file=path_in(folder, tls["ca_file"]) if "ca_file" in tls else "",
        client_cert=path_in(folder, tls["client_cert"]) if "client_cert" in tls else "",
    )


def _proxy_of(base: Destination) -> Destination:
    """Return the proxy of a destination as a destination of its own: it gets its password."""
    return Destination(base.proxy, use="proxy", ca_file=base.ca_file if base.proxy.startswith("https://") else "")


def _oauth_sends(
    secret: str,
    identity: SecretIdentity,
    auth: Mapping[str, Any],
    of_provider: AuthorizationServer,
    base: Destination,
    api: Destination,
) -> Iterator[Send]:
    """Yield the destinations of an OAuth client's secret, of a person's consent and of the grant.

    Consent and grant have the identity of the client's secret, so a renamed connection doesn't change them. A public client has
    no secret (it is empty), and its server gets the grant alone.
    """
    app = auth["client_id"]
    servers = server(auth, of_provider)
    grant, of_grant = f"the grant of {app}", _derived_identity(identity, "grant")
    for key in SERVER_URLS:
        if url := getattr(servers, key):
            to = base.at(origin_of(url), key, app)
            if key in _OF_CONSENT:
                yield Send(f"the consent to {app}", _derived_identity(identity, "consent"), to)
            if key != "authorize_url":  # a browser goes there, and no secret
                yield Send(secret, identity, to) if secret else Send(grant, of_grant, to)
    yield Send(grant, of_grant, Destination(*api[:5], app, "", api.environment_class))


def _derived_identity(identity: SecretIdentity, what: str) -> SecretIdentity:
    return SecretIdentity(f"{what} {identity.kind}", *identity[1:])


def _provider_server(settings: Mapping[str, Any], definition: Definition) -> AuthorizationServer:
    """Return the authorization server of the provider.

    It is empty if the provider is no longer installed, or no longer accepts the settings.
    """
    name = settings.get("provider", DEFAULT_PROVIDER)
    try:
        instance = provider(name, definition).instance(Connection("", name, settings, _NO_FOLDER, _NOWHERE))
    except (LookupError, ValueError, ConnectionFailed):  # the settings were valid when they were recorded
        return AuthorizationServer()
    return server_of(instance)


def _store_sends(reference: SecretReference, store: Mapping[str, Any] | None) -> Iterable[Send]:
    """Return the credentials that open the store of a reference, with the servers that get them."""
    vault = reference.path.partition("/")[0]
    if store is not None:
        return _declared_store_sends(reference.scheme, store, vault)
    return _backend_sends(reference.scheme, vault if reference.scheme == _AZURE else "")


@lru_cache(maxsize=1024)  # thousands of connections read the same few backends
def _backend_sends(kind: str, vault: str) -> tuple[Send, ...]:
    return tuple(_declared_store_sends(kind, {}, vault))


def _declared_store_sends(scheme: str, store: Mapping[str, Any], vault: str) -> Iterator[Send]:
    """Yield the credentials that open a store.

    Args:
        scheme: the scheme of a reference.
        store: the declared store; empty for a backend without settings.
        vault: the vault that the reference names.
    """
    settings = {key: value for key, value in store.items() if key != "proxy"}
    kind, folder = settings.get("type", scheme), settings.get("folder", ".")
    way = _way_to_store(store, folder)
    urls = {key: origin_of(url) for key, url in settings.items() if isinstance(url, str) and url.startswith(_WEB)}
    urls = {**_SERVERS.get(kind, {}), **urls}
    if kind == _AZURE:
        urls.pop("resource", None)  # what the token is for; nothing is sent there
        urls.setdefault("address", f"https://{vault}.vault.azure.net")
    if kind == "gcpsecrets" and "location" in settings and "address" not in settings:
        urls["address"] = f"https://secretmanager.{settings['location']}.rep.googleapis.com"
    credentials = tuple(_store_credentials(kind, settings))
    for url in dict.fromkeys(urls.values()):
        for credential, identity in credentials:
            yield Send(credential, identity, way.at(url, f"store {kind}"))
    proxy = store.get("proxy")
    if way.proxy and isinstance(proxy, dict):
        password = SecretReference.parse(proxy["password"])
        yield Send(str(password), identity_of(password, None, folder), _proxy_of(way))


def _way_to_store(store: Mapping[str, Any], folder: str) -> Destination:
    """Return proxy and certificates of a store. One of another package may have something else under these keys."""
    tls, proxy = store.get("tls"), store.get("proxy")
    network: dict[str, Any] = {"tls": dict(tls) if isinstance(tls, dict) else {}}
    if "ca_file" in store:
        network["tls"]["ca_file"] = store["ca_file"]
    if isinstance(proxy, str) or (isinstance(proxy, dict) and proxy.keys() == PROXY.properties.keys()):
        network["proxy"] = proxy
    return _destination_without_url(network, folder)


def _store_credentials(kind: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, SecretIdentity]]:
    """Yield the name and the identity of each credential that opens a store."""
    keys = store_reference_keys(kind)
    references = list(_references(settings, all_store_reference_keys() if keys is None else keys))
    if kind == "vault" and not settings:
        references = [SecretReference.parse("env://VAULT_TOKEN")]
    method = settings["auth"]["method"] if kind == "vault" and settings else ""
    if not references and (kind == "k8s" or method == "kubernetes"):
        yield TOKEN_REFERENCE, identity_of_file(TOKEN_REFERENCE.removeprefix("file://"))
    elif method == "cert":
        key = path_in(settings.get("folder", "."), settings["tls"]["client_key"])
        yield f"file://{key}", identity_of_file(key)
    elif not references:
        name = _LOGINS.get(kind, f"the login of the store {kind}")
        yield name, SecretIdentity("login", name)
    for reference in references:
        yield str(reference), identity_of(reference, None, settings.get("folder", "."))


def _references(node: Mapping[str, Any], keys: Container[str]) -> Iterator[SecretReference]:
    """Yield the references in the settings of a store. One that is not installed may have other texts under these keys."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _references(value, keys)
        elif isinstance(value, str) and key in keys:
            with suppress(MalformedReferenceError):
                yield SecretReference.parse(value)
