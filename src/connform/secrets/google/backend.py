"""The backend `gcpsecrets`: secrets of Google Cloud Secret Manager, `gcpsecrets://project/name`.

Layer 2; uses the network: the REST API of Secret Manager, version 1. Google's library google-auth (the extra `connform[gcp]`)
logs in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.errors import ConnectionFailed, SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.url_schemas import ROOT_URL
from connform.manifest.urls import parse_url, url_findings
from connform.secret import SecretReference
from connform.secrets.google.checksum import intact_data
from connform.secrets.google.login import INSTALL, log_in
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.network import NETWORK_KEYS, network_findings, network_settings
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.requirements import missing_library
from connform.secrets.kit.value import text_from_bytes, whole_or_field

if TYPE_CHECKING:
    from connform.manifest.rules import Finding
    from connform.secrets.kit.rest import RestApi

_GOOGLE_DOMAIN = ".googleapis.com"
"""The names of all endpoints of Google end so: secretmanager.LOCATION.rep.googleapis.com (those of a region),
private.googleapis.com and restricted.googleapis.com (Private Google Access), secretmanager-ENDPOINT.p.googleapis.com (Private
Service Connect): cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints, cloud.google.com/secret-manager/docs/locations."""
_PROJECT_PATTERN = r"[a-z0-9][a-z0-9:.-]{1,62}"
_NAME_PATTERN = r"[A-Za-z0-9_-]{1,255}"


class SecretManager(Backend):
    """The backend `gcpsecrets`."""

    form = "gcpsecrets://project/name"
    store_shape = Shape(
        properties={
            "project": {
                "type": "string",
                "pattern": rf"^{_PROJECT_PATTERN}(?!\n)$",
                "description": "The project of all its secrets; its references then are NAME.",
            },
            "location": {
                "type": "string",
                "pattern": r"^[a-z0-9-]{1,63}(?!\n)$",
                "description": "The region of all its secrets, where they are regional secrets.",
                "examples": ["europe-west3"],
            },
            "credentials": {**REFERENCE, "description": "Where the JSON key of a service account lies."},
            "address": {
                **ROOT_URL,
                "description": "Another endpoint, such as that of Private Service Connect; one that is not Google's needs `credentials`.",
            },
            **NETWORK_KEYS,
        },
        required=("project",),
        description="Google Cloud Secret Manager.",
        snippets=(Snippet("Google Cloud Secret Manager", {"type": "gcpsecrets", "project": "${2:acme-prod}"}),),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the address. The login of this machine opens all of Google Cloud, so only Google gets it."""
        from connform.manifest.rules import Finding

        yield from network_findings(store, by_machine="credentials" not in store)
        if "address" not in store:
            return
        wrong = list(url_findings(store["address"], ("address",)))
        yield from wrong
        if not wrong and "credentials" not in store and not parse_url(store["address"]).host.endswith(_GOOGLE_DOMAIN):
            detail = (
                "without `credentials` the login of this machine would be sent to an address that is not Google's "
                f"(*{_GOOGLE_DOMAIN}): write `credentials`, or Google's own address"
            )
            yield Finding("missing-key", (), detail)

    def missing(self) -> str:
        """Return how to install google-auth; empty if it is installed."""
        return missing_library("google.auth", INSTALL)

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference."""
        prefix = "" if "project" in settings else "PROJECT/"
        pattern = _NAME_PATTERN if not prefix else f"{_PROJECT_PATTERN}/{_NAME_PATTERN}"
        if not re.fullmatch(pattern, reference.path):
            return f"a secret is named so: {reference.scheme}://{prefix}NAME"
        if not re.fullmatch(r"[A-Za-z0-9_-]*", reference.version):
            return "a version is a number, or an alias such as latest"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return Secret Manager, with the login of a store or of this machine."""
        settings = store.settings
        opened = OnceValue(lambda: _api(store))
        prefix = f"{settings['project']}/" if settings else ""
        location = f"locations/{settings['location']}/" if "location" in settings else ""

        def load(reference: SecretReference) -> Mapping[str, Any]:
            from connform.secrets.google.answers import document_of

            api, headers = opened.get()
            project, _, name = f"{prefix}{reference.path}".partition("/")
            version = reference.version or "latest"
            path = f"v1/projects/{project}/{location}secrets/{name}/versions/{version}:access"
            return document_of(api.call("GET", path, headers=headers))

        def close() -> None:
            if opened.value_if_computed is not None:
                opened.value_if_computed[0].close()

        return DocumentStore(load, _fetched, close=close)


def _api(store: StoreConfig) -> tuple[RestApi, Mapping[str, str]]:
    """Return the API with its credential, and the headers that go with each call."""
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    token, headers = log_in(store)
    try:
        credential = bearer(token, key="access_token")
    except ConnectionFailed as failure:
        raise SecretUnresolved(failure.fault.name, failure.message, failure.hint) from None
    network = network_settings(store)
    api = RestApi(
        _address(store.settings), "Secret Manager", timeout_s=store.timeout_s, credential=credential, **network
    )
    return api, headers


def _address(settings: Mapping[str, Any]) -> str:
    place = f"{settings['location']}.rep." if "location" in settings else ""
    address: str = settings.get("address", f"https://secretmanager.{place}googleapis.com")
    return address


def _fetched(document: Mapping[str, Any], reference: SecretReference) -> Fetched:
    payload = document.get("payload")
    data = intact_data(payload if isinstance(payload, dict) else {})
    version = str(document.get("name", "")).rpartition("/")[2]
    return Fetched(whole_or_field(text_from_bytes(data), reference.field), version)


GCPSECRETS = SecretManager()
