"""Puts the fragments of providers, auth methods and secret backends together: the vocabulary of manifests.

Layer 3; no IO but the look-up of entry points, and that only for names that aren't built in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from connform.auth import METHODS
from connform.manifest.document import frame
from connform.manifest.rules import Finding
from connform.manifest.settings import EXTENDS, SETTINGS, check_settings
from connform.manifest.shape import Schema, Shape, published, secret_keys
from connform.manifest.vocabulary import Vocabulary
from connform.providers import PROVIDERS
from connform.registry import PROVIDERS_GROUP, SECRETS_GROUP, find, names
from connform.secrets import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connform.auth.interface import AuthMethod
    from connform.providers.interface import Provider
    from connform.secret import SecretReference
    from connform.secrets.interface import Backend

DEFAULT_PROVIDER: Final = "iinked-sign"
_ENVIRONMENT: Final[Schema] = {
    "enum": ["sandbox", "production", "private"],
    "description": "Connections of this environment only may read the store's secrets; default: any.",
    "x-code": "unknown-environment",
}


def provider(name: str) -> Provider:
    """Return a provider that a valid manifest names."""
    found = find(name, PROVIDERS, PROVIDERS_GROUP)
    if found is None:
        raise LookupError(name)  # `validate` accepts no such manifest
    return found


def backend(name: str) -> Backend:
    """Return a secret backend that a valid manifest names."""
    found = find(name, BACKENDS, SECRETS_GROUP)
    if found is None:
        raise LookupError(name)  # `validate` accepts no such manifest
    return found


def auth_method(name: str) -> AuthMethod:
    """Return an auth method that a valid manifest names."""
    return METHODS[name]


@cache
def vocabulary(*, plugins: bool = False) -> Vocabulary:
    """Return everything that may stand in a manifest.

    Args:
        plugins: installed third-party providers and backends as well; looking for them takes 30 ms.
    """
    providers = names(PROVIDERS, PROVIDERS_GROUP) if plugins else list(PROVIDERS)
    backends = names(BACKENDS, SECRETS_GROUP) if plugins else list(BACKENDS)
    auth = Shape(
        discriminator="method",
        code="unknown-auth-method",
        branches={name: method.shape for name, method in METHODS.items()},
        description="How the connection authenticates.",
    )
    connection = Shape(
        properties={**SETTINGS, "auth": auth},
        required=("auth",),
        discriminator="provider",
        default=DEFAULT_PROVIDER,
        code="unknown-provider",
        extensible=True,
        branches={name: provider(name).shape for name in providers},
        description="One connection.",
    )
    store = Shape(
        properties={"environment": _ENVIRONMENT},
        discriminator="type",
        code="unknown-store-type",
        extensible=True,
        branches={name: backend(name).store_shape for name in backends},
        description="A place where secrets lie.",
    )
    return Vocabulary(connection, store, _rules, frozenset(backends), _lint)


def _rules(connection: Mapping[str, Any]) -> Iterator[Finding]:
    yield from check_settings(connection)
    yield from provider(connection.get("provider", DEFAULT_PROVIDER)).rules(connection)
    auth = connection["auth"]
    for finding in auth_method(auth["method"]).rules(auth):
        yield Finding(finding.code, ("auth", *finding.path), finding.detail, finding.hint, finding.at_key)


def _lint(reference: SecretReference, name: str, settings: Mapping[str, Any]) -> str:
    return backend(name).lint(reference, settings)


@cache
def reference_keys() -> frozenset[str]:
    """Return the keys under `auth:` that hold secret references."""
    return frozenset(secret_keys(vocabulary().connection))


def manifest_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a manifest, as `schema/connections.schema.json` has it."""
    known = vocabulary()
    raw = Shape(
        properties={"extends": EXTENDS, **known.connection.properties},
        required=known.connection.required,
        discriminator=known.connection.discriminator,
        default=known.connection.default,
        branches=known.connection.branches,
        description=known.connection.description,
    )
    part, whole = {"$ref": "#/$defs/part"}, {"$ref": "#/$defs/connection"}
    inheriting = {"if": {"required": ["extends"]}, "then": part, "else": whole}
    document = frame({}, part, {"$ref": "#/$defs/defaults"}, {"$ref": "#/$defs/store"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "connform manifest",
        "description": "Connections as code: named connections of one or several APIs, without secrets.",
        **document,
        # What inherits from defaults or a template need not be complete by itself.
        "if": {"required": ["defaults"]},
        "then": {"properties": {"connections": {"additionalProperties": part}}},
        "else": {"properties": {"connections": {"additionalProperties": inheriting}}},
        "$defs": {
            "connection": published(raw),
            "part": published(raw, partial=True),
            "defaults": published(known.connection, partial=True),
            "store": published(known.store),
        },
    }
