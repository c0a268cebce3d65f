"""The backend `gcpsecrets`: secrets of Google Cloud Secret Manager, `gcpsecrets://project/name`.

Layer 2; uses the network: the REST API of Secret Manager, version 1. Google's library google-auth (the extra `connform[gcp]`)
logs in, with the key of a service account that the store refers to, or with application default credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.errors import ConnectionFailed, SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.urls import URL, parse_url, url_findings
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.requirements import missing_library
from connform.secrets.kit.value import text_from_base64, whole_or_field

if TYPE_CHECKING:
    from connform.manifest.rules import Finding
    from connform.secrets.kit.rest import RestApi

_ADDRESS = "https://secretmanager.googleapis.com"
_GOOGLE_DOMAIN = ".googleapis.com"
"""The names of all endpoints of Google end so: secretmanager.LOCATION.rep.googleapis.com (those of a region),
private.googleapis.com and restricted.googleapis.com (Private Google Access), secretmanager-ENDPOINT.p.googleapis.com (Private
Service Connect): cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints, cloud.google.com/secret-manager/docs/locations."""
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_NAME = "Secret Manager"
_PROJECT_PATTERN = r"[a-z0-9][a-z0-9:.-]{1,62}"
_NAME_PATTERN = r"[A-Za-z0-9_-]{1,255}"
_BAD_REQUEST = 400
_LOGIN_HINT = (
    "log in: `gcloud auth application-default login`, or give the store the `credentials` of a service account"
)
_DENIED_HINT = "the account needs the role Secret Manager Secret Accessor on the secret"
_INSTALL = "pip install google-auth requests"


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
            "credentials": {**REFERENCE, "description": "Where the JSON key of a service account lies."},
            "address": {
                **URL,
                "description": f"Another endpoint than {_ADDRESS}, such as that of a region; one that is not Google's needs `credentials`.",
            },
            "ca_file": {"type": "string", "minLength": 1, "description": "PEM certificates of that endpoint."},
        },
        required=("project",),
        description="Google Cloud Secret Manager.",
        snippets=(Snippet("Google Cloud Secret Manager", {"type": "gcpsecrets", "project": "${2:acme-prod}"}),),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the address. The login of this machine opens all of Google Cloud, so only Google gets it."""
        from connform.manifest.rules import Finding

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
        return missing_library("google.auth", _INSTALL)

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
        api = OnceValue(lambda: _api(store))
        prefix = f"{store.settings['project']}/" if store.settings else ""

        def load(reference: SecretReference) -> Mapping[str, Any]:
            from connform.secrets.kit.rest import content_of

            project, _, name = f"{prefix}{reference.path}".partition("/")
            version = reference.version or "latest"
            reply = api.get().call("GET", f"v1/projects/{project}/secrets/{name}/versions/{version}:access")
            if reply.status == _BAD_REQUEST:  # FAILED_PRECONDITION; the documentation gives these two reasons
                raise SecretUnresolved("secret_not_found", "that version of the secret is disabled or destroyed")
            return content_of(reply, _NAME, login_hint=_LOGIN_HINT, denied_hint=_DENIED_HINT)

        def close() -> None:
            if api.value_if_computed is not None:
                api.value_if_computed.close()

        return DocumentStore(load, _fetched, close=close)


def _api(store: StoreConfig) -> RestApi:
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    settings = store.settings
    try:
        credential = bearer(_token(store.secrets.get("credentials"), store.timeout_s), key="credentials")
    except ConnectionFailed as failure:
        raise SecretUnresolved(failure.fault.name, failure.message, failure.hint) from None
    ca_file = store.base / settings["ca_file"] if "ca_file" in settings else None
    address = settings.get("address", _ADDRESS)
    return RestApi(address, _NAME, timeout_s=store.timeout_s, ca_file=ca_file, credential=credential)


def _token(key: Secret | None, timeout_s: float) -> Secret:
    """Return an access token. Messages of google-auth are not repeated: they may quote answers."""
    try:
        import google.auth
        from google.auth import exceptions
        from google.auth.transport.requests import Request
        from google.oauth2 import service_account
    except ImportError:
        message = f"{_NAME} needs an optional library"
        raise SecretUnresolved("secret_backend_unavailable", message, _INSTALL) from None
    fault, message = "", ""
    try:
        credentials: Any = (
            google.auth.default(scopes=_SCOPES)[0]
            if key is None
            else service_account.Credentials.from_service_account_info(_parse_key(key), scopes=_SCOPES)  # type: ignore[no-untyped-call]  # google-auth has no annotation there
        )
        request = Request()
        credentials.refresh(lambda *given, **named: request(*given, **{**named, "timeout": timeout_s}))
        return Secret(str(credentials.token))
    except exceptions.TransportError:
        fault, message = "secret_backend_unavailable", "Google's token endpoint can't be reached"
    except (exceptions.MalformedError, ValueError):
        fault, message = "secret_malformed", "the credentials are no JSON key of a service account"
    except exceptions.DefaultCredentialsError:
        fault, message = "secret_denied", "this machine has no application default credentials"
    except exceptions.GoogleAuthError:
        fault, message = "secret_denied", "Google does not accept the login"
    # Raised outside of the handlers: else the chained exception would hold the key or an answer.
    raise SecretUnresolved(fault, message, _LOGIN_HINT if fault == "secret_denied" else "")


def _parse_key(key: Secret) -> dict[str, Any]:
    import json

    info = json.loads(key.reveal())
    if not isinstance(info, dict):
        raise ValueError  # noqa: TRY004  (the caller handles one exception for all malformed keys)
    return info


def _fetched(document: Mapping[str, Any], reference: SecretReference) -> Fetched:
    text = text_from_base64(document.get("payload", {}).get("data", ""))
    version = str(document.get("name", "")).rpartition("/")[2]
    return Fetched(whole_or_field(text, reference.field), version)


GCPSECRETS = SecretManager()
