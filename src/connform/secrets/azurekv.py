"""The backend `azurekv`: secrets of Azure Key Vault, `azurekv://vault/name`.

Layer 2; uses the network: the REST API of Key Vault, version 7.4. A store may name a client secret to log in with. Without
one, Microsoft's library azure-identity (the extra `connform[azure]`) finds a login of this machine: workload identity,
managed identity, `az login`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.urls import URL, parse_url, url_findings
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.requirements import missing_library
from connform.secrets.kit.value import whole_or_field

if TYPE_CHECKING:
    from connform.manifest.rules import Finding
    from connform.secrets.kit.rest import RestApi

_AUTHORITY = "https://login.microsoftonline.com"
_SUFFIX = "vault.azure.net"
_API_VERSION = "7.4"
_NAME = "Key Vault"
_NAME_PATTERN = r"[A-Za-z0-9-]{1,127}"
_LOGIN_HINT = "log in: `az login`, or correct `tenant_id`, `client_id` and `client_secret` of the store"
_DENIED_HINT = "the login needs the role Key Vault Secrets User; a disabled secret is refused as well"
_INSTALL = "pip install azure-identity"


class KeyVault(Backend):
    """The backend `azurekv`."""

    form = "azurekv://vault/name"
    store_shape = Shape(
        properties={
            "address": {**URL, "description": "The vault.", "examples": [f"https://acme.{_SUFFIX}"]},
            "ca_file": {"type": "string", "minLength": 1, "description": "PEM certificates of the vault's authority."},
            "tenant_id": {
                "type": "string",
                "pattern": rf"^{_NAME_PATTERN}(?!\n)$",
                "description": "The directory of the client.",
            },
            "client_id": {"type": "string", "minLength": 1, "description": "The application that logs in."},
            "client_secret": {**REFERENCE, "description": "Where its secret lies; default: the login of this machine."},
            "authority": {**URL, "description": f"Who issues tokens. Default {_AUTHORITY}."},
        },
        required=("address",),
        description="Azure Key Vault.",
        snippets=(Snippet("Azure Key Vault", {"type": "azurekv", "address": f"https://${{2:acme}}.{_SUFFIX}"}),),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the addresses, and the keys that a login with a client secret lacks."""
        from connform.manifest.rules import Finding

        for key in ("address", "authority"):
            if key in store:
                yield from url_findings(store[key], (key,))
        if "client_secret" in store:
            for key in ("tenant_id", "client_id"):
                if key not in store:
                    yield Finding("missing-key", (), f"`client_secret` needs `{key}`")

    def missing(self) -> str:
        """Return how to install azure-identity; empty if it is installed. A store with a client secret doesn't need it."""
        return missing_library("azure.identity", _INSTALL)

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference."""
        prefix = "" if settings else "VAULT/"
        if not re.fullmatch(_NAME_PATTERN if settings else f"{_NAME_PATTERN}/{_NAME_PATTERN}", reference.path):
            return f"a secret is named by letters, digits and hyphens: {reference.scheme}://{prefix}NAME"
        return "" if re.fullmatch(r"[0-9a-f]*", reference.version) else "a version is a word of hexadecimal digits"

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the vault of a store; for the bare backend, the vaults that references name."""
        token = OnceValue(lambda: _token(store))
        vaults: dict[str, OnceValue[RestApi]] = {}

        def load(reference: SecretReference) -> Mapping[str, Any]:
            from connform.secrets.kit.rest import content_of

            vault, _, name = reference.path.rpartition("/")
            address = store.settings.get("address") or f"https://{vault}.{_SUFFIX}"
            api = vaults.setdefault(address, OnceValue(lambda: _api(address, store, token.get()))).get()
            reply = api.call("GET", f"secrets/{name}/{reference.version}?api-version={_API_VERSION}")
            return content_of(reply, _NAME, login_hint=_LOGIN_HINT, denied_hint=_DENIED_HINT)

        def close() -> None:
            for api in vaults.values():
                if api.value_if_computed is not None:
                    api.value_if_computed.close()

        return DocumentStore(load, _fetched, close=close)


def _api(address: str, store: StoreConfig, token: Secret) -> RestApi:
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    ca_file = store.base / store.settings["ca_file"] if "ca_file" in store.settings else None
    credential = bearer(token, key="client_secret")
    return RestApi(address, _NAME, timeout_s=store.timeout_s, ca_file=ca_file, credential=credential)


def _token(store: StoreConfig) -> Secret:
    """Return an access token for the vault: by the client secret (RFC 6749 §4.4), or by azure-identity."""
    host = parse_url(store.settings["address"]).host if store.settings else f"any.{_SUFFIX}"
    scope = f"https://{host.partition('.')[2]}/.default"
    secret = store.secrets.get("client_secret")
    return _token_of_machine(scope) if secret is None else _token_of_client(store, secret, scope)


def _token_of_client(store: StoreConfig, secret: Secret, scope: str) -> Secret:
    from connform.secrets.kit.rest import RestApi

    settings = store.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": settings["client_id"],
        "client_secret": secret.reveal(),
        "scope": scope,
    }
    ca_file = store.base / settings["ca_file"] if "authority" in settings and "ca_file" in settings else None
    api = RestApi(settings.get("authority", _AUTHORITY), "Entra ID", timeout_s=store.timeout_s, ca_file=ca_file)
    try:
        reply = api.call("POST", f"{settings['tenant_id']}/oauth2/v2.0/token", form=form)
    finally:
        api.close()
    token = reply.content.get("access_token") if isinstance(reply.content, dict) else None
    if not isinstance(token, str):
        raise SecretUnresolved(
            "secret_denied", f"Entra ID does not accept the login (it answered {reply.status})", _LOGIN_HINT
        )
    return Secret(token)


def _token_of_machine(scope: str) -> Secret:
    try:
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import DefaultAzureCredential
    except ImportError:
        message = f"{_NAME} needs an optional library to find a login on this machine"
        hint = f"{_INSTALL}, or give the store `tenant_id`, `client_id` and `client_secret`"
        raise SecretUnresolved("secret_backend_unavailable", message, hint) from None
    fault, message = "", ""
    try:
        with DefaultAzureCredential() as credential:
            return Secret(credential.get_token(scope).token)
    except ClientAuthenticationError:
        fault, message = "secret_denied", "this machine has no login for Azure that works"
    except AzureError:
        fault, message = "secret_backend_unavailable", "Azure's login can't be reached"
    # Raised outside of the handlers: else the chained exception would hold an answer.
    raise SecretUnresolved(fault, message, _LOGIN_HINT)


def _fetched(document: Mapping[str, Any], reference: SecretReference) -> Fetched:
    value, attributes = document.get("value"), document.get("attributes")
    if not isinstance(value, str):
        raise SecretUnresolved("secret_malformed", "the value is no text")
    updated = attributes.get("updated") if isinstance(attributes, dict) else None
    since = datetime.fromtimestamp(updated, UTC) if isinstance(updated, int) else None
    version = str(document.get("id", "")).rpartition("/")[2]
    return Fetched(whole_or_field(value, reference.field), version, since)


AZUREKV = KeyVault()
