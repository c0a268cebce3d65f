"""The vocabulary and the JSON Schemas of manifests, from the shapes of all providers, auth methods and secret backends.

Layer 3; no IO but the look-up of entry points, and that only for names that aren't built in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from connform.auth import METHODS
from connform.manifest.document import document_schema
from connform.manifest.rules import Finding
from connform.manifest.settings import EXTENDS, SETTINGS, check_settings
from connform.manifest.shape import Schema, Shape, published, secret_keys
from connform.manifest.vocabulary import Vocabulary
from connform.providers import PROVIDERS
from connform.registry import PROVIDERS_GROUP, SECRETS_GROUP, LazyTable, find, names
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import DEFAULT_TIMEOUT_S, HasStoreRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connform.auth.interface import AuthMethod
    from connform.providers.interface import Provider
    from connform.secret import SecretReference
    from connform.secrets.kit.interface import Backend

DEFAULT_PROVIDER: Final = "iinked-sign"
_ENVIRONMENT: Final[Schema] = {
    "enum": ["sandbox", "production", "private"],
    "description": "Connections of this environment only may read the store's secrets; default: any.",
    "x-code": "unknown-environment",
}
_TIMEOUT: Final[Schema] = {
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 3600,
    "description": f"How long one read of the store may take, in seconds, its login included. Default {DEFAULT_TIMEOUT_S:g}.",
}

FILES: Final = frozenset({"dotenv", "file", "sops"})
"""The backends whose paths are those of files, relative to the manifest."""
BY_FOLDER: Final = FILES | {"exec"}
"""The backends for which a reference means different secrets in manifests of different folders. With `exec`, the policy
depends on the repository."""


def provider(name: str) -> Provider:
    """Return a provider by its name, which comes from a valid manifest."""
    found = find(name, PROVIDERS, PROVIDERS_GROUP)
    if found is None:
        raise LookupError(name)  # `validate` accepts no such manifest
    return found


def backend(name: str) -> Backend:
    """Return a secret backend by its name, which comes from a valid manifest."""
    found = find(name, BACKENDS, SECRETS_GROUP)
    if found is None:
        raise LookupError(name)  # `validate` accepts no such manifest
    return found


def auth_method(name: str) -> AuthMethod:
    """Return an auth method by its name, which comes from a valid manifest."""
    return METHODS[name]


@cache
def vocabulary(*, plugins: bool = False) -> Vocabulary:
    """Return everything that may stand in a manifest.

    Args:
        plugins: whether to include installed third-party providers and backends; the search for them takes 30 ms.
    """
    providers = names(PROVIDERS, PROVIDERS_GROUP) if plugins else list(PROVIDERS)
    backends = names(BACKENDS, SECRETS_GROUP) if plugins else list(BACKENDS)
    auth = Shape(
        discriminator="method",
        code="unknown-auth-method",
        branches={name: method.shape for name, method in METHODS.items()},
        title="Authentication",
        description="How the connection authenticates.",
        question="The method of authentication.",
    )
    connection = Shape(
        properties={**SETTINGS, "auth": auth},
        required=("auth",),
        discriminator="provider",
        default=DEFAULT_PROVIDER,
        code="unknown-provider",
        extensible=True,
        branches={name: provider(name).shape for name in providers},
        title="Connection",
        description="One connection.",
        question=f"The API that the connection leads to; default: {DEFAULT_PROVIDER}.",
    )
    store = Shape(
        properties={"environment": _ENVIRONMENT, "timeout_s": _TIMEOUT},
        discriminator="type",
        code="unknown-store-type",
        extensible=True,
        branches=LazyTable(backends, lambda name: backend(name).store_shape),
        title="Store",
        description="A place where secrets lie.",
        question="What kind of place the store is.",
    )
    return Vocabulary(connection, store, _rules, frozenset(backends), _lint, _store_rules, FILES)


def _rules(connection: Mapping[str, Any]) -> Iterator[Finding]:
    yield from check_settings(connection)
    yield from provider(connection.get("provider", DEFAULT_PROVIDER)).rules(connection)
    auth = connection["auth"]
    for finding in auth_method(auth["method"]).rules(auth):
        yield Finding(finding.code, ("auth", *finding.path), finding.detail, finding.hint, finding.at_key)
    if "revoke_url" in auth:
        from connform.engine.load.revoke_url import findings

        yield from findings(connection)


def _lint(reference: SecretReference, name: str, settings: Mapping[str, Any]) -> str:
    return backend(name).lint(reference, settings)


def _store_rules(store: Mapping[str, Any]) -> Iterable[Finding]:
    kind = backend(store["type"])
    return kind.rules(store) if isinstance(kind, HasStoreRules) else ()


@cache
def reference_keys() -> frozenset[str]:
    """Return the keys of connections that hold secret references."""
    return frozenset(secret_keys(vocabulary().connection))


@cache
def store_reference_keys() -> frozenset[str]:
    """Return the keys of stores that hold secret references. It loads every backend."""
    return frozenset(secret_keys(vocabulary().store))


def manifest_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a manifest, as `schema/connections.schema.json` has it."""
    definitions = {name: published(shape, partial=partial) for name, (shape, partial) in _definitions().items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_document("$defs"), "$defs": definitions}


def editor_schema() -> Schema:
    """Return the JSON Schema (draft-07) of a manifest for editors, as `schema/connections.draft-07.schema.json` has it."""
    from connform.manifest.editors import Edition, named_snippets  # `validate` never needs them

    edition = Edition()
    shapes = _definitions()
    definitions = {name: edition.compose(shape, partial=partial) for name, (shape, partial) in shapes.items()}
    document = _document("definitions")
    for name, kind in (("connections", "connection"), ("stores", "store")):
        document["properties"][name]["defaultSnippets"] = named_snippets(shapes[kind][0])
    renamed = {"label": "renamed connection", "body": {"${1:old-name}": "${2:new-name}"}}
    document["properties"]["moved"]["defaultSnippets"] = [renamed]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **document,
        "definitions": definitions | edition.definitions,
    }


def _definitions() -> dict[str, tuple[Shape, bool]]:
    """Return the shape of each part of a manifest by name, and whether all of its keys are optional."""
    known_vocabulary = vocabulary()
    extensible = known_vocabulary.connection._replace(
        properties={"extends": EXTENDS, **known_vocabulary.connection.properties}
    )
    return {
        "connection": (extensible, False),
        "part": (extensible, True),
        "defaults": (known_vocabulary.connection, True),
        "store": (known_vocabulary.store, False),
    }


def _document(definitions: str) -> Schema:
    """Return the schema of a whole manifest.

    Args:
        definitions: the keyword under which the schemas of the parts stand: `$defs` or `definitions`.
    """
    connection, part, defaults, store = ({"$ref": f"#/{definitions}/{name}"} for name in _definitions())
    maybe_inheriting = {"if": {"required": ["extends"]}, "then": part, "else": connection}
    plain_defaults = {"properties": {"defaults": {"propertyNames": {"enum": list(SETTINGS)}}}}
    return {
        "title": "connform manifest",
        "description": "Connections as code: named connections of one or several APIs, without secrets.",
        **document_schema({}, part, defaults, store),
        # A connection may be incomplete if it extends a template, or if the defaults hold more than settings.
        "if": plain_defaults,
        "then": {"properties": {"connections": {"additionalProperties": maybe_inheriting}}},
        "else": {"properties": {"connections": {"additionalProperties": part}}},
    }
