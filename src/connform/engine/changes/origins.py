"""Destinations of secrets: each secret of a specification with every origin to which it is sent.

Layer 3, no IO. It reads recorded specifications in the same way as declared ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connform.auth.oauth.server import AuthorizationServer
from connform.auth.oauth2 import SERVER_URLS, server
from connform.diagnostics import Span
from connform.engine.changes.secret_identity import SecretIdentity, identity_of, identity_of_file, origin_of, path_in
from connform.engine.load.catalog import DEFAULT_PROVIDER, provider, references_of, store_reference_keys, uses_grant
from connform.errors import ConnectionFailed
from connform.manifest.model import Connection
from connform.secret import SecretReference
from connform.secrets.vault.login import SERVICE_ACCOUNT

_WEB = ("https://", "http://")
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
    """What it is used for: `token_url`, `revoke_url`, `store vault`; empty for the API itself."""
    proxy: str = ""
    """The origin of the proxy, `environment`, or empty."""
    ca_file: str = ""
    """The file of trusted certificates; empty for those of the system."""
    client_cert: str = ""
    """The file of the client certificate; empty if there is none."""
    client_id: str = ""
    """The OAuth client; empty without OAuth."""
    environment: str = ""
    """The environment of the connection, for its API; it is compared and not shown."""

    @property
    def details(self) -> list[str]:
        """Its details besides the URL, for messages."""
        details = [
            self.use,
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
    settings, auth, stores = spec["settings"], spec["settings"]["auth"], spec["stores"]
    folder = spec.get("folder", ".")
    base = _destination_without_url(settings, folder)
    api = base._replace(url=origin_of(spec["base_url"]), environment=settings.get("environment", ""))
    found: dict[Send, None] = {}
    has_grant = uses_grant(auth["method"])
    for reference in references_of(auth).values():
        store = stores.get(reference.scheme)
        send = Send(str(reference), identity_of(reference, store, folder), api)
        found |= dict.fromkeys(_oauth_sends(send, settings, base) if has_grant else (send,))
        found |= dict.fromkeys(_store_sends(reference, store))
    return tuple(found)


def _destination_without_url(settings: Mapping[str, Any], folder: str) -> Destination:
    tls, proxy = settings.get("tls", {}), settings.get("proxy", "")
    return Destination(
        "",
        proxy=origin_of(proxy) if "://" in proxy else proxy,
        ca_file=path_in(folder, tls["ca_file"]) if "ca_file" in tls else "",
        client_cert=path_in(folder, tls["client_cert"]) if "client_cert" in tls else "",
    )


def _oauth_sends(send: Send, settings: Mapping[str, Any], base: Destination) -> Iterator[Send]:
    """Yield the destinations of an OAuth client's secret, of a person's consent and of the grant.

    Consent and grant have the identity of the client's secret, so a renamed connection doesn't change them.
    """
    auth = settings["auth"]
    app = auth["client_id"]
    servers = server(auth, _provider_server(settings))
    for key in SERVER_URLS:
        if url := getattr(servers, key):
            to = base._replace(url=origin_of(url), use=key, client_id=app)
            if key == "authorize_url":
                yield Send(f"the consent to {app}", _derived_identity(send.identity, "consent"), to)
            else:
                yield send._replace(to=to)
    yield Send(f"the grant of {app}", _derived_identity(send.identity, "grant"), send.to._replace(client_id=app))


def _derived_identity(identity: SecretIdentity, what: str) -> SecretIdentity:
    return identity._replace(kind=f"{what} {identity.kind}")


def _provider_server(settings: Mapping[str, Any]) -> AuthorizationServer:
    """Return the authorization server of the provider.

    It is empty if the provider is no longer installed, or no longer accepts the settings.
    """
    name = settings.get("provider", DEFAULT_PROVIDER)
    try:
        instance = provider(name).instance(Connection("", name, settings, Path(), _NOWHERE))
    except (LookupError, ValueError, ConnectionFailed):  # the settings were valid when they were recorded
        return AuthorizationServer()
    return AuthorizationServer(instance.authorize_url, instance.token_url, instance.revoke_url)


def _store_sends(reference: SecretReference, store: Mapping[str, Any] | None) -> Iterator[Send]:
    """Yield the credentials that open the store of a reference, with the servers that get them."""
    settings = store or {}
    kind = settings.get("type", reference.scheme)
    urls = {key: origin_of(url) for key, url in settings.items() if isinstance(url, str) and url.startswith(_WEB)}
    urls = {**_SERVERS.get(kind, {}), **urls}
    if kind == "azurekv" and not settings:
        urls["address"] = f"https://{reference.path.partition('/')[0]}.vault.azure.net"
    ca_file = path_in(settings.get("folder", "."), settings["ca_file"]) if "ca_file" in settings else ""
    credentials = tuple(_store_credentials(kind, settings)) if urls else ()
    for url in dict.fromkeys(urls.values()):
        for credential, identity in credentials:
            yield Send(credential, identity, Destination(url, f"store {kind}", ca_file=ca_file))


def _store_credentials(kind: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, SecretIdentity]]:
    """Yield the name and the identity of each credential that opens a store."""
    texts = list(_reference_texts(settings))
    if not texts and kind == "vault" and not settings:
        texts = ["env://VAULT_TOKEN"]
    if not texts and kind in {"vault", "k8s"}:
        yield f"file://{SERVICE_ACCOUNT}", identity_of_file(SERVICE_ACCOUNT)
    elif not texts:
        name = _LOGINS.get(kind, f"the login of the store {kind}")
        yield name, SecretIdentity("login", name)
    for text in texts:
        reference = SecretReference.parse(text)
        yield str(reference), identity_of(reference, None, settings.get("folder", "."))


def _reference_texts(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the references in the settings of a store."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _reference_texts(value)
        elif isinstance(value, str) and key in store_reference_keys():
            yield value
