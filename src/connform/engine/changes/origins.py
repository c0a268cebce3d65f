"""Destinations of secrets: each secret of a specification with every origin to which it is sent.

Layer 3, no IO. It reads recorded specifications in the same way as declared ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.auth.oauth.server import AuthorizationServer
from connform.auth.oauth2 import SERVER_URLS, server
from connform.diagnostics import Span
from connform.engine.changes.secret_identity import SecretIdentity, of_file, origin_of, path_in, place_of
from connform.engine.load.catalog import DEFAULT_PROVIDER, provider, reference_keys, store_reference_keys
from connform.manifest.model import Connection
from connform.secret import SecretReference
from connform.secrets.vault.login import SERVICE_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OAUTH: Final = "oauth2"
_WEB: Final = ("https://", "http://")
_NOWHERE: Final = Span("", 1, 1, 1, 1)
_SERVERS: Final[Mapping[str, Mapping[str, str]]] = {
    "awssecrets": {"endpoint_url": "AWS"},
    "awsssm": {"endpoint_url": "AWS"},
    "azurekv": {"authority": "https://login.microsoftonline.com"},
    "gcpsecrets": {"address": "https://secretmanager.googleapis.com"},
    "k8s": {"address": "the pod's cluster"},
    "vault": {"address": "VAULT_ADDR"},
}
"""A backend → the settings of its stores that name its servers, and what serves without them."""
_LOGINS: Final = {
    "awssecrets": "this machine's login to AWS",
    "awsssm": "this machine's login to AWS",
    "azurekv": "this machine's login to Azure",
    "gcpsecrets": "this machine's login to Google Cloud",
}
"""What opens a store of which the manifest names no secret."""


class Destination(NamedTuple):
    """Where a secret is sent, and what decides who can read it on the way."""

    url: str
    """Scheme, host and port; or what names them where the manifest doesn't."""
    use: str = ""
    """What is there: `token_url`, `revoke_url`, `store vault`; empty for the API itself."""
    proxy: str = ""
    """The origin of the proxy, `environment`, or empty."""
    ca_file: str = ""
    """The certificates that are trusted instead of the system's."""
    client_cert: str = ""
    """The certificate that this side shows."""
    client_id: str = ""
    """The app that it belongs to, with OAuth."""
    environment: str = ""
    """That of the connection to an API; it is compared, and not shown."""

    @property
    def how(self) -> list[str]:
        """What else there is to say of it, for people."""
        said = [
            self.use,
            self.client_id and f"client {self.client_id}",
            self.proxy and f"proxy {self.proxy}",
            self.ca_file and f"CA {self.ca_file}",
            self.client_cert and f"client certificate {self.client_cert}",
        ]
        return [one for one in said if one]

    def __str__(self) -> str:
        return f"{self.url} ({', '.join(self.how)})" if self.how else self.url


class Send(NamedTuple):
    """One secret, and one origin that gets it."""

    secret: str
    """The reference; or what it is that has none."""
    place: SecretIdentity
    """Where it lies."""
    to: Destination
    """Who gets it."""


def sends(spec: Mapping[str, Any]) -> tuple[Send, ...]:
    """Return what is sent where by a connection with this specification."""
    settings, auth, stores = spec["settings"], spec["settings"]["auth"], spec["stores"]
    folder = spec.get("folder", ".")
    way = _way(settings, folder)
    api = way._replace(url=origin_of(spec["base_url"]), environment=settings.get("environment", ""))
    found: dict[Send, None] = {}
    for key in sorted(auth.keys() & reference_keys()):
        reference = SecretReference.parse(auth[key])
        store = stores.get(reference.scheme)
        one = Send(str(reference), place_of(reference, store, folder), api)
        found |= dict.fromkeys(_by_oauth(one, settings, way) if auth["method"] == _OAUTH else (one,))
        found |= dict.fromkeys(_by_store(reference, store))
    return tuple(found)


def _way(settings: Mapping[str, Any], folder: str) -> Destination:
    tls, proxy = settings.get("tls", {}), settings.get("proxy", "")
    return Destination(
        "",
        proxy=origin_of(proxy) if "://" in proxy else proxy,
        ca_file=path_in(folder, tls["ca_file"]) if "ca_file" in tls else "",
        client_cert=path_in(folder, tls["client_cert"]) if "client_cert" in tls else "",
    )


def _by_oauth(one: Send, settings: Mapping[str, Any], way: Destination) -> Iterator[Send]:
    """Yield where an app's secret goes, and what people and their grants do: they are the app's, whatever their names."""
    auth = settings["auth"]
    app = auth["client_id"]
    servers = server(auth, _own(settings))
    for key in SERVER_URLS:
        if url := getattr(servers, key):
            to = way._replace(url=origin_of(url), use=key, client_id=app)
            if key == "authorize_url":
                yield Send(f"the consent to {app}", _of(one.place, "consent"), to)
            else:
                yield one._replace(to=to)
    yield Send(f"the grant of {app}", _of(one.place, "grant"), one.to._replace(client_id=app))


def _of(place: SecretIdentity, what: str) -> SecretIdentity:
    return place._replace(kind=f"{what} {place.kind}")


def _own(settings: Mapping[str, Any]) -> AuthorizationServer:
    """Return the provider's own servers; none where the provider is no longer installed."""
    name = settings.get("provider", DEFAULT_PROVIDER)
    try:
        own = provider(name).instance(Connection("", name, settings, Path(), _NOWHERE))
    except (LookupError, ValueError):  # what is recorded was valid for the provider of then
        return AuthorizationServer()
    return AuthorizationServer(own.authorize_url, own.token_url, own.revoke_url)


def _by_store(reference: SecretReference, store: Mapping[str, Any] | None) -> Iterator[Send]:
    """Yield what opens the store of a reference, and who is shown it."""
    settings = store or {}
    kind = settings.get("type", reference.scheme)
    urls = {key: origin_of(url) for key, url in settings.items() if isinstance(url, str) and url.startswith(_WEB)}
    urls = {**_SERVERS.get(kind, {}), **urls}
    if kind == "azurekv" and not settings:
        urls["address"] = f"https://{reference.path.partition('/')[0]}.vault.azure.net"
    ca_file = path_in(settings.get("folder", "."), settings["ca_file"]) if "ca_file" in settings else ""
    logins = tuple(_logins(kind, settings)) if urls else ()
    for url in dict.fromkeys(urls.values()):
        for login, place in logins:
            yield Send(login, place, Destination(url, f"store {kind}", ca_file=ca_file))


def _logins(kind: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, SecretIdentity]]:
    """Yield the name and the place of what opens a store."""
    texts = list(_texts(settings))
    if not texts and kind == "vault" and not settings:
        texts = ["env://VAULT_TOKEN"]
    if not texts and kind in {"vault", "k8s"}:
        yield f"file://{SERVICE_ACCOUNT}", of_file(SERVICE_ACCOUNT)
    elif not texts:
        name = _LOGINS.get(kind, f"the login of the store {kind}")
        yield name, SecretIdentity("login", name)
    for text in texts:
        reference = SecretReference.parse(text)
        yield str(reference), place_of(reference, None, settings.get("folder", "."))


def _texts(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the references in the settings of a store."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _texts(value)
        elif isinstance(value, str) and key in store_reference_keys():
            yield value
