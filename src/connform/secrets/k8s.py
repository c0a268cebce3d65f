"""The backend `k8s`: keys of Kubernetes Secrets, `k8s://namespace/name#key`.

Layer 2; uses the network: the REST API of the API server (core/v1). The bare backend works in a pod only: it finds the server
by KUBERNETES_SERVICE_HOST, and reads the token and the certificate authority that Kubernetes mounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.manifest.url_schemas import ROOT_URL
from connform.manifest.urls import url_findings
from connform.secret import Secret, SecretReference
from connform.secrets.kit import service_account
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.network import NETWORK_KEYS, network_findings, network_settings
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.value import require_not_own, secret_from_text, text_from_base64

if TYPE_CHECKING:
    from connform.secrets.kit.rest import RestApi

_NAME_PATTERN = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_NAME = "the Kubernetes API"
_LOGIN_HINT = "the token has ended, or is another cluster's: give the store a new one"
_POD_LOGIN_HINT = "the token that is mounted has ended, or is for another audience: see the volume of the pod"
_STORE_HINT = "name the cluster in a store: {type: k8s, address: …, token: …}"
_DENIED_HINT = "its service account needs a role with the verb `get` on `secrets` in that namespace"


class Kubernetes(Backend):
    """The backend `k8s`."""

    form = "k8s://namespace/name#key"
    store_shape = Shape(
        properties={
            "address": {**ROOT_URL, "description": "The API server.", "examples": ["https://10.0.0.1:6443"]},
            "token": {**REFERENCE, "description": "Where the token of a service account lies that may get secrets."},
            "namespace": {
                "type": "string",
                "pattern": rf"^{_NAME_PATTERN}(?!\n)$",
                "description": "Of all secrets of the store; its references then are NAME#KEY.",
            },
            **NETWORK_KEYS,
        },
        required=("address", "token"),
        description="The secrets of a Kubernetes cluster.",
        snippets=(
            Snippet(
                "Kubernetes", {"type": "k8s", "address": "${2:https://10.0.0.1:6443}", "token": "${3:env://K8S_TOKEN}"}
            ),
        ),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the address, or the way to it."""
        yield from url_findings(store["address"], ("address",))
        yield from network_findings(store)

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference."""
        prefix = "" if "namespace" in settings else "NAMESPACE/"
        parts = reference.path.split("/")
        if len(parts) != 1 + bool(prefix) or not all(re.fullmatch(_NAME_PATTERN, part) for part in parts):
            return f"a Secret is named by lower-case letters, digits, dots and hyphens: {reference.scheme}://{prefix}NAME#KEY"
        return "Kubernetes keeps no earlier versions of a Secret" if reference.version else ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the cluster of a store; for the bare backend, that of the pod."""
        cluster = OnceValue(lambda: _cluster(store))
        prefix = f"{store.settings['namespace']}/" if "namespace" in store.settings else ""

        def load(reference: SecretReference) -> Mapping[str, Any]:
            from connform.secrets.kit.rest import content_of

            namespace, _, name = f"{prefix}{reference.path}".partition("/")
            reply = cluster.get().api.call("GET", f"api/v1/namespaces/{namespace}/secrets/{name}")
            login_hint = _LOGIN_HINT if store.settings else _POD_LOGIN_HINT
            return content_of(reply, _NAME, login_hint=login_hint, denied_hint=_DENIED_HINT)

        def pick(document: Mapping[str, Any], reference: SecretReference) -> Fetched:
            fetched = _fetched(document, reference)
            require_not_own(fetched.secret, (cluster.get().token,))
            return fetched

        def close() -> None:
            if cluster.value_if_computed is not None:
                cluster.value_if_computed.api.close()

        return DocumentStore(load, pick, close=close)


class _Cluster(NamedTuple):
    api: RestApi
    token: Secret


def _cluster(store: StoreConfig) -> _Cluster:
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    settings, network = store.settings, network_settings(store)
    if settings:
        address, token = settings["address"], store.secrets["token"]
    else:
        host, port = variable("KUBERNETES_SERVICE_HOST"), variable("KUBERNETES_SERVICE_PORT") or "443"
        if not host:
            message = "this is no pod of a cluster: KUBERNETES_SERVICE_HOST is not set"
            raise SecretUnresolved("secret_backend_unavailable", message, _STORE_HINT)
        address = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        token = service_account.mounted_token(f"or {_STORE_HINT}")
        network["ca_file"] = service_account.SERVICE_ACCOUNT / "ca.crt"
    api = RestApi(address, _NAME, timeout_s=store.timeout_s, credential=bearer(token, key="token"), **network)
    return _Cluster(api, token)


def _fetched(document: Mapping[str, Any], reference: SecretReference) -> Fetched:
    data = document.get("data") or {}
    if document.get("kind") != "Secret" or not isinstance(data, dict):
        raise SecretUnresolved("secret_backend_unavailable", f"{_NAME} answered with something else than a Secret")
    if not data:
        raise SecretUnresolved("secret_not_found", "the Secret is empty", "give it the key, or correct the reference")
    key = reference.field or (next(iter(data)) if len(data) == 1 else "")
    if not key:
        message = f"the Secret has {len(data)} keys, and the reference names none"
        raise SecretUnresolved("secret_not_found", message, f"write one behind a #: {', '.join(sorted(data))}")
    if key not in data:
        raise SecretUnresolved("secret_not_found", f"the Secret has no key {key}", did_you_mean(key, data))
    metadata = document.get("metadata")
    version = metadata.get("resourceVersion", "") if isinstance(metadata, dict) else ""
    return Fetched(secret_from_text(text_from_base64(data[key])), str(version))


K8S = Kubernetes()
