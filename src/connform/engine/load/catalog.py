"""Look-up of providers, auth methods and secret backends by name, and the vocabulary of manifests made of their shapes.

Layer 3; no IO but the look-up of entry points, and that only for names that aren't built in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from connform.auth import METHODS
from connform.auth.interface import AuthMethod
from connform.diagnostics import PLUGIN_ERROR
from connform.engine.load.plugin_kinds import AUTH_PLUGINS, BACKEND_PLUGINS, PROVIDER_PLUGINS
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.manifest.rules import Finding
from connform.manifest.settings import SETTINGS, check_settings
from connform.manifest.shape import Schema, Shape, secret_keys
from connform.manifest.vocabulary import Vocabulary
from connform.providers import PROVIDERS
from connform.providers.interface import Provider
from connform.registry import AUTH_GROUP, PROVIDERS_GROUP, SECRETS_GROUP, LazyTable, PluginKind, find, loaded, names
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import DEFAULT_TIMEOUT_S, Backend, HasStoreRules

if TYPE_CHECKING:
    from connform.secret import SecretReference

Found = TypeVar("Found")
_ANY = Shape(extensible=True)
"""The shape of a plug-in that isn't used, or can't be loaded: any keys."""

DEFAULT_PROVIDER = "iinked-sign"
_ENVIRONMENT: Schema = {
    "enum": ["sandbox", "production", "private"],
    "description": "Connections of this environment only may read the store's secrets; default: any.",
    "x-code": "unknown-environment",
}
_TIMEOUT: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 3600,
    "description": f"How long one read of the store may take, in seconds, its login included. Default {DEFAULT_TIMEOUT_S:g}.",
}


def _installed(name: str, found: Found | None) -> Found:
    if found is None:
        raise LookupError(name)  # `validate` accepts no such manifest
    return found


def _usable(name: str, table: Mapping[str, Found], kind: PluginKind) -> Found | None:
    """Return what has a name; `None` if nothing has, or it is a plug-in that can't be loaded: `validate` names that."""
    try:
        return find(name, table, kind)
    except ConnectionFailed:
        return None


def provider(name: str) -> Provider:
    """Return a provider by its name, which comes from a valid manifest."""
    return _installed(name, find(name, PROVIDERS, PROVIDER_PLUGINS))


def backend(name: str) -> Backend:
    """Return a secret backend by its name, which comes from a valid manifest."""
    return _installed(name, find(name, BACKENDS, BACKEND_PLUGINS))


@cache
def reads_files(name: str) -> bool:
    """Whether the paths of a backend are those of files. `False` for a backend that is not installed, which a record may name."""
    found = _usable(name, BACKENDS, BACKEND_PLUGINS)
    return found is not None and getattr(found, "reads_files", False)


@cache
def depends_on_folder(name: str) -> bool:
    """Whether a reference means another secret in a manifest of another folder. `False` for a backend that is not installed."""
    found = _usable(name, BACKENDS, BACKEND_PLUGINS)
    return found is not None and getattr(found, "depends_on_folder", False)


class _FileBackends:
    """The backends whose paths are those of files; a backend is imported when it is looked for."""

    def __contains__(self, name: object) -> bool:
        return reads_files(str(name))


_FILE_BACKENDS = _FileBackends()


def auth_method(name: str) -> AuthMethod:
    """Return an auth method by its name, which comes from a valid manifest."""
    return _installed(name, find(name, METHODS, AUTH_PLUGINS))


def uses_grant(method: str) -> bool:
    """Whether connections of an auth method have a grant. `False` for a method that is not installed, which a record may name."""
    found = find(method, METHODS, AUTH_PLUGINS)
    return found is not None and getattr(found, "uses_grant", False)


def has_plugins() -> bool:
    """Whether a package adds a provider, an auth method or a backend; the search for them takes 30 ms."""
    tables = ((PROVIDERS, PROVIDERS_GROUP), (BACKENDS, SECRETS_GROUP), (METHODS, AUTH_GROUP))
    return any(len(names(table, group)) > len(table) for table, group in tables)


def _shapes(table: Mapping[str, Any], kind: PluginKind, used: Collection[str] | None) -> dict[str, Shape]:
    """Return the shapes of providers or auth methods; of plug-ins, only those that are used are loaded."""
    known = list(table) if used is None else names(table, kind.group)
    return {name: _shape(name, table, kind) if name in table or name in (used or ()) else _ANY for name in known}


def _shape(name: str, table: Mapping[str, Any], kind: PluginKind, attribute: str = "shape") -> Shape:
    try:
        shape: Shape = getattr(find(name, table, kind), attribute)
    except ConnectionFailed:  # `_rules` and `_store_rules` report it where it is used
        return _ANY
    return shape


@cache
def vocabulary(providers: frozenset[str] | None = None, methods: frozenset[str] | None = None) -> Vocabulary:
    """Return everything that may stand in a manifest.

    Args:
        providers: those that the manifests name, to include those of plug-ins; `None` for built-in names.
        methods: the same of auth methods.
    """
    backends = list(BACKENDS) if providers is None else names(BACKENDS, SECRETS_GROUP)
    auth = Shape(
        discriminator="method",
        code="unknown-auth-method",
        branches=_shapes(METHODS, AUTH_PLUGINS, methods),
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
        branches=_shapes(PROVIDERS, PROVIDER_PLUGINS, providers),
        title="Connection",
        description="One connection.",
        question=f"The API that the connection leads to; default: {DEFAULT_PROVIDER}.",
    )
    store = Shape(
        properties={"environment": _ENVIRONMENT, "timeout_s": _TIMEOUT},
        discriminator="type",
        code="unknown-store-type",
        extensible=True,
        branches=LazyTable(backends, lambda name: _shape(name, BACKENDS, BACKEND_PLUGINS, "store_shape")),
        title="Store",
        description="A place where secrets lie.",
        question="What kind of place the store is.",
    )
    return Vocabulary(connection, store, _rules, frozenset(backends), _lint, _store_rules, _FILE_BACKENDS)


def _rules(connection: Mapping[str, Any]) -> Iterator[Finding]:
    yield from check_settings(connection)
    try:
        used = provider(connection.get("provider", DEFAULT_PROVIDER))
        _ = used.shape  # raises if it is no Shape
        yield from used.rules(connection)
    except ConnectionFailed as failure:  # a bug of a plug-in
        yield Finding(PLUGIN_ERROR, ("provider",), failure.message, failure.hint)
    auth = connection["auth"]
    try:
        method = auth_method(auth["method"])
        _ = method.shape
        for finding in method.rules(auth):
            yield Finding(finding.code, ("auth", *finding.path), finding.detail, finding.hint, finding.at_key)
    except ConnectionFailed as failure:
        yield Finding(PLUGIN_ERROR, ("auth", "method"), failure.message, failure.hint)
    if "revoke_url" in auth:
        from connform.engine.load.revoke_url import findings

        yield from findings(connection)


def _lint(reference: SecretReference, name: str, settings: Mapping[str, Any]) -> str:
    return backend(name).lint(reference, settings)


def _store_rules(store: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        kind = backend(store["type"])
        _ = kind.store_shape
        if isinstance(kind, HasStoreRules):
            yield from kind.rules(store)
    except SecretUnresolved as failure:
        yield Finding(PLUGIN_ERROR, ("type",), failure.message, failure.hint)


@cache
def auth_reference_keys(method: str) -> frozenset[str] | None:
    """Return the keys of an auth method that hold secret references; `None` for one that is not installed, which a record may name."""
    found = _usable(method, METHODS, AUTH_PLUGINS)
    return frozenset(secret_keys(found.shape)) if found is not None else None


def references_of(auth: Mapping[str, Any]) -> dict[str, SecretReference]:
    """Return the secret references of an effective or recorded `auth:`, by key.

    Of a method that is not installed, every text that is one: a recorded secret is not forgotten with the package of its method.
    """
    from connform.secret import MalformedReferenceError, SecretReference

    keys = auth_reference_keys(auth["method"])
    if keys is not None:
        return {key: SecretReference.parse(auth[key]) for key in sorted(auth.keys() & keys)}
    found: dict[str, SecretReference] = {}
    for key, value in sorted(auth.items()):
        if isinstance(value, str):
            with suppress(MalformedReferenceError):
                found[key] = SecretReference.parse(value)
    return found


def reference_keys() -> frozenset[str]:
    """Return the keys of connections that hold secret references: of all that is built in, and of the plug-ins in use."""
    used = [plugin.shape for plugin in (*loaded(PROVIDERS_GROUP), *loaded(AUTH_GROUP))]
    return _built_in_reference_keys().union(*map(secret_keys, used)) if used else _built_in_reference_keys()


@cache
def _built_in_reference_keys() -> frozenset[str]:
    return frozenset(secret_keys(vocabulary().connection))


def store_reference_keys() -> frozenset[str]:
    """Return the keys of stores that hold secret references, as `reference_keys` does. It loads every built-in backend."""
    used = [plugin.store_shape for plugin in loaded(SECRETS_GROUP)]
    return _built_in_store_keys().union(*map(secret_keys, used)) if used else _built_in_store_keys()


@cache
def _built_in_store_keys() -> frozenset[str]:
    return frozenset(secret_keys(vocabulary().store))
