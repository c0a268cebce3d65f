"""The backend `azurekv`: secrets of Azure Key Vault, `azurekv://vault/name`.

Layer 2; uses the network: the REST API of Key Vault, version 7.4. A store may name a client secret to log in with; without
one, the login of this machine is used (the extra `connform[azure]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.url_schemas import ROOT_URL
from connform.manifest.urls import parse_url, url_findings
from connform.secret import Secret, SecretReference
from connform.secrets.azure.login import AUTHORITY, AUTHORITY_HOSTS, INSTALL, SUFFIX, token_of
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.network import NETWORK_KEYS, network_findings, network_settings
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.requirements import missing_library
from connform.secrets.kit.value import whole_or_field

if TYPE_CHECKING:
    from connform.manifest.rules import Finding
    from connform.secrets.kit.rest import RestApi

_API_VERSION = "7.4"
_URL_KEYS = ("address", "authority", "resource")
_NAME_PATTERN = r"[A-Za-z0-9-]{1,127}"


class KeyVault(Backend):
    """The backend `azurekv`."""

    form = "azurekv://vault/name"
    login_variables = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD")
    store_shape = Shape(
        properties={
            "address": {**ROOT_URL, "description": "The vault.", "examples": [f"https://acme.{SUFFIX}"]},
            "tenant_id": {
                "type": "string",
                "pattern": rf"^{_NAME_PATTERN}(?!\n)$",
                "description": "The tenant of the login.",
            },
            "client_id": {
                "type": "string",
                "minLength": 1,
                "description": "The application or managed identity that logs in.",
            },
            "client_secret": {**REFERENCE, "description": "Where its secret lies; default: the login of this machine."},
            "authority": {
                **ROOT_URL,
                "default": AUTHORITY,
                "description": f"Who issues tokens. Default {AUTHORITY}.",
            },
            "resource": {
                **ROOT_URL,
                "description": "What the token is for, where the vault's host is not one of Microsoft's names.",
                "examples": [f"https://{SUFFIX}"],
            },
            **NETWORK_KEYS,
        },
        required=("address",),
        description="Azure Key Vault.",
        snippets=(Snippet("Azure Key Vault", {"type": "azurekv", "address": f"https://${{2:acme}}.{SUFFIX}"}),),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the addresses, and the keys that are missing.

        The login of this machine opens all of its vaults, so only Microsoft gets it: the authority is one of Microsoft's, and
        the token is for the domain of the vault's address, where no other server accepts it.
        """
        from connform.manifest.rules import Finding

        wrong = [finding for key in _URL_KEYS if key in store for finding in url_findings(store[key], (key,))]
        yield from wrong
        yield from network_findings(store, by_machine="client_secret" not in store)
        if "client_secret" in store:
            for key in ("tenant_id", "client_id"):
                if key not in store:
                    yield Finding("missing-key", (), f"`client_secret` needs `{key}`")
            return
        if "resource" in store:
            yield Finding(
                "missing-key", (), "`resource` needs `client_secret`: it is not for the login of this machine"
            )
        if not wrong and "authority" in store and parse_url(store["authority"]).host not in AUTHORITY_HOSTS:
            detail = (
                "without `client_secret` the login of this machine would be sent to an authority that is not Microsoft's "
                f"({', '.join(AUTHORITY_HOSTS)})"
            )
            yield Finding("missing-key", (), detail)

    def missing(self) -> str:
        """Return how to install azure-identity; empty if it is installed. A store with a client secret doesn't need it."""
        return missing_library("azure.identity", INSTALL)

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference."""
        prefix = "" if settings else "VAULT/"
        if not re.fullmatch(_NAME_PATTERN if settings else f"{_NAME_PATTERN}/{_NAME_PATTERN}", reference.path):
            return f"a secret is named by letters, digits and hyphens: {reference.scheme}://{prefix}NAME"
        return "" if re.fullmatch(r"[0-9a-f]*", reference.version) else "a version is a word of hexadecimal digits"

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the vault of a store; for the bare backend, the vaults that references name."""
        token = OnceValue(lambda: token_of(store))
        vaults: dict[str, OnceValue[RestApi]] = {}

        def load(reference: SecretReference) -> Mapping[str, Any]:
            from connform.secrets.azure.answers import document_of

            vault, _, name = reference.path.rpartition("/")
            address = store.settings.get("address") or f"https://{vault}.{SUFFIX}"
            api = vaults.setdefault(address, OnceValue(lambda: _api(address, store, token.get()))).get()
            reply = api.call("GET", f"secrets/{name}/{reference.version}?api-version={_API_VERSION}")
            return document_of(reply)

        def close() -> None:
            for api in vaults.values():
                if api.value_if_computed is not None:
                    api.value_if_computed.close()

        return DocumentStore(load, _fetched, close=close)


def _api(address: str, store: StoreConfig, token: Secret) -> RestApi:
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    credential = bearer(token, key="access_token")
    return RestApi(address, "Key Vault", timeout_s=store.timeout_s, credential=credential, **network_settings(store))


def _fetched(document: Mapping[str, Any], reference: SecretReference) -> Fetched:
    value, attributes = document.get("value"), document.get("attributes")
    if not isinstance(value, str):
        raise SecretUnresolved("secret_malformed", "the value is no text")
    updated = attributes.get("updated") if isinstance(attributes, dict) else None
    since = datetime.fromtimestamp(updated, UTC) if isinstance(updated, int) else None
    version = str(document.get("id", "")).rpartition("/")[2]
    return Fetched(whole_or_field(value, reference.field), version, since)


AZUREKV = KeyVault()
