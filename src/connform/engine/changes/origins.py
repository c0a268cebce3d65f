"""Destinations of secrets: each secret of a specification with every origin to which it is sent.

Layer 3, no IO. It reads recorded specifications in the same way as declared ones.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from connform.auth.interface import SecretUse
from connform.auth.kit.client import SERVER_URLS, server
from connform.auth.oauth.server import AuthorizationServer
from connform.diagnostics import Span
from connform.engine.changes.definition_part import recorded_definition
from connform.engine.changes.secret_identity import SecretIdentity, identity_of, identity_of_file, origin_of, path_in
from connform.engine.load.catalog import (
    DEFAULT_PROVIDER,
    Definition,
    provider,
    references_of,
    store_reference_keys,
    usable_method,
    uses_grant,
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
_OF_CONSENT = ("authorize_url", "device_authorization_url")
"""The endpoints that a person's consent depends on."""
_NOWHERE = Span("", 1, 1, 1, 1)
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
        return self._replace(environment_class="")

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
    api = base._replace(url=origin_of(spec["base_url"]), environment_class=environment_class(settings, definition))
    found: dict[Send, None] = {}
    has_grant = uses_grant(settings, definition)
    references = references_of(settings, definition)
    destinations = _Destinations(spec, definition, base, api)
    for key, reference in references.items():
        store = stores.get(reference.scheme)
        send = Send(str(reference), identity_of(reference, store, folder), api)
        is_of_client = has_grant and not destinations.is_placed(key)
        found |= dict.fromkeys(_oauth_sends(send, spec, base) if is_of_client else destinations.of(key, send))
        found |= dict.fromkeys(_store_sends(reference, store))
    for reference in proxy_references(settings).values():
        store = stores.get(reference.scheme)
        found[Send(str(reference), identity_of(reference, store, folder), _proxy_of(base))] = None
        found |= dict.fromkeys(_store_sends(reference, store))
    if has_grant and not references:
        found |= dict.fromkeys(_oauth_sends(Send("", _identity_of_client(spec), api), spec, base))
    return tuple(found)


class _Destinations:
    """The destinations of the secrets of an auth method without a grant, as the method itself says."""

    def __init__(self, spec: Mapping[str, Any], definition: Definition, base: Destination, api: Destination) -> None:
        settings = spec["settings"]
        method = usable_method(settings, definition)
        defaults = getattr(method, "defaults", {})
        auth = {**defaults, **settings["auth"]}
        uses = getattr(method, "uses", None)
        self._uses: list[SecretUse] = list(uses(auth, _servers(spec, auth))) if uses else []
        self._base, self._api = base, api

    def of(self, key: str, send: Send) -> Iterator[Send]:
        """Yield where a secret is sent: by default to the API. What is obtained by it goes where the method says."""
        uses = [use for use in self._uses if use.key == key] or [SecretUse(key)]
        for use in uses:
            yield send._replace(to=self._destination(use))
        if any(use.url for use in uses):
            token = Send("the token that it obtains", _derived_identity(send.identity, "token"), self._api)
            yield from (token._replace(to=self._destination(use)) for use in self._uses if not use.key)

    def is_placed(self, key: str) -> bool:
        """Whether the method says where in a request to the API a secret is sent."""
        return any(use.key == key and use.place for use in self._uses)

    def _destination(self, use: SecretUse) -> Destination:
        if use.url:
            return self._base._replace(url=origin_of(use.url), use=use.use)
        return self._api._replace(place=use.place, use=use.use)


def _servers(spec: Mapping[str, Any], auth: Mapping[str, Any]) -> AuthorizationServer:
    """Return the server of a specification, whose login call is that of the connection if the provider has none."""
    found = server(auth, _provider_server(spec))
    return found if found.login_url else found._replace(login_url=auth.get("login", {}).get("url", ""))


def _identity_of_client(spec: Mapping[str, Any]) -> SecretIdentity:
    """Return what stands for the secret that a public client doesn't have: its name at its server."""
    auth = spec["settings"]["auth"]
    servers = server(auth, _provider_server(spec))
    return SecretIdentity("client", auth["client_id"], server=(origin_of(servers.token_url or servers.issuer),))


def _destination_without_url(settings: Mapping[str, Any], folder: str) -> Destination:
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


def _oauth_sends(send: Send, spec: Mapping[str, Any], base: Destination) -> Iterator[Send]:
    """Yield the destinations of an OAuth client's secret, of a person's consent and of the grant.

    Consent and grant have the identity of the client's secret, so a renamed connection doesn't change them. A public client has
    no secret, and its server gets the grant alone.
    """
    auth = spec["settings"]["auth"]
    app = auth["client_id"]
    servers = server(auth, _provider_server(spec))
    grant = Send(f"the grant of {app}", _derived_identity(send.identity, "grant"), send.to._replace(client_id=app))
    for key in SERVER_URLS:
        if url := getattr(servers, key):
            to = base._replace(url=origin_of(url), use=key, client_id=app)
            if key in _OF_CONSENT:
                yield Send(f"the consent to {app}", _derived_identity(send.identity, "consent"), to)
            if key != "authorize_url":  # a browser goes there, and no secret
                yield (send if send.secret else grant)._replace(to=to)
    yield grant


def _derived_identity(identity: SecretIdentity, what: str) -> SecretIdentity:
    return identity._replace(kind=f"{what} {identity.kind}")


def _provider_server(spec: Mapping[str, Any]) -> AuthorizationServer:
    """Return the authorization server of the provider.

    It is empty if the provider is no longer installed, or no longer accepts the settings.
    """
    settings = spec["settings"]
    name, definition = settings.get("provider", DEFAULT_PROVIDER), recorded_definition(spec)
    try:
        instance = provider(name, definition).instance(Connection("", name, settings, Path(), _NOWHERE))
    except (LookupError, ValueError, ConnectionFailed):  # the settings were valid when they were recorded
        return AuthorizationServer()
    return server_of(instance)


def _store_sends(reference: SecretReference, store: Mapping[str, Any] | None) -> Iterator[Send]:
    """Yield the credentials that open the store of a reference, with the servers that get them."""
    settings = {key: value for key, value in (store or {}).items() if key != "proxy"}
    kind, folder = settings.get("type", reference.scheme), settings.get("folder", ".")
    way = _way_to_store(store or {}, folder)
    urls = {key: origin_of(url) for key, url in settings.items() if isinstance(url, str) and url.startswith(_WEB)}
    urls = {**_SERVERS.get(kind, {}), **urls}
    if kind == "azurekv":
        urls.pop("resource", None)  # what the token is for; nothing is sent there
        urls.setdefault("address", f"https://{reference.path.partition('/')[0]}.vault.azure.net")
    if kind == "gcpsecrets" and "location" in settings and "address" not in settings:
        urls["address"] = f"https://secretmanager.{settings['location']}.rep.googleapis.com"
    credentials = tuple(_store_credentials(kind, settings))
    for url in dict.fromkeys(urls.values()):
        for credential, identity in credentials:
            yield Send(credential, identity, way._replace(url=url, use=f"store {kind}"))
    proxy = (store or {}).get("proxy")
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
