"""What opens secret stores: the credentials that are sent to a store before a secret is read from it.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from connform.engine.changes.destination import Destination, Send, proxy_of, way_of
from connform.engine.changes.secret_identity import SecretIdentity, identity_of, identity_of_file, origin_of, path_in
from connform.engine.load.catalog import store_reference_keys
from connform.engine.load.vocabulary import all_store_reference_keys
from connform.manifest.proxy import PROXY
from connform.secret import MalformedReferenceError, SecretReference
from connform.secrets.kit.service_account import TOKEN_REFERENCE

_WEB = ("https://", "http://")
_AZURE = "azurekv"
"""The backend whose references name the server."""
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


def store_sends(reference: SecretReference, store: Mapping[str, Any] | None) -> Sequence[Send]:
    """Return the credentials that open the store of a reference, with the servers that get them."""
    vault = reference.path.partition("/")[0]
    if store is not None:
        return tuple(_declared_store_sends(reference.scheme, store, vault))
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
        yield Send(str(password), identity_of(password, None, folder), proxy_of(way))


def _way_to_store(store: Mapping[str, Any], folder: str) -> Destination:
    """Return proxy and certificates of a store. One of another package may have something else under these keys."""
    tls, proxy = store.get("tls"), store.get("proxy")
    network: dict[str, Any] = {"tls": dict(tls) if isinstance(tls, dict) else {}}
    if "ca_file" in store:
        network["tls"]["ca_file"] = store["ca_file"]
    if isinstance(proxy, str) or (isinstance(proxy, dict) and proxy.keys() == PROXY.properties.keys()):
        network["proxy"] = proxy
    return way_of(network, folder)


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
