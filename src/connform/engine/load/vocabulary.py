"""The vocabulary of manifests: which keys and rules they have, made of the shapes of providers, auth methods and secret backends.

Layer 3; no IO but the look-up of entry points, and that only for names that aren't built in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from connform.auth import METHODS
from connform.diagnostics import PLUGIN_ERROR
from connform.engine.load.catalog import (
    DEFAULT_PROVIDER,
    Definition,
    auth_method,
    backend,
    look_up,
    provider,
    reads_files,
)
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.manifest.rules import Finding
from connform.manifest.settings import SETTINGS, check_settings
from connform.manifest.shape import Schema, Shape, secret_keys
from connform.manifest.vocabulary import Vocabulary
from connform.providers import PROVIDERS
from connform.providers.environments import STORE_ENVIRONMENT, class_of
from connform.registry import AUTH_GROUP, PROVIDERS_GROUP, SECRETS_GROUP, LazyTable, loaded, names
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import DEFAULT_TIMEOUT_S, HasStoreRules

if TYPE_CHECKING:
    from connform.manifest.provider_checks import ProviderEntries
    from connform.providers.described.provider import DescribedProvider
    from connform.providers.interface import Provider
    from connform.secret import SecretReference

_NONE: Mapping[str, Any] = MappingProxyType({})
_PROVIDER_NAMES = frozenset(PROVIDERS)
_ANY = Shape(extensible=True)
"""The shape of a plug-in that isn't used, or can't be loaded: any keys."""
_UNKNOWN_KEYS = Shape(properties={"auth": {"type": "object"}}, extensible=True)
"""The shape of a provider whose entry has mistakes: any keys and any auth method."""

_TIMEOUT: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 3600,
    "default": int(DEFAULT_TIMEOUT_S),
    "description": f"How long one read of the store may take, in seconds, its login included, and how long a rate limit may let none through. Default {DEFAULT_TIMEOUT_S:g}.",
}


class _FileBackends:
    """The backends whose paths are those of files; a backend is imported when it is looked for."""

    def __contains__(self, name: object) -> bool:
        return reads_files(str(name))


_FILE_BACKENDS = _FileBackends()


def _shapes(table: Mapping[str, Any], group: str, used: Collection[str] | None) -> Mapping[str, Shape]:
    """Return the shapes of auth methods by name, each made when it is first read; of plug-ins, only those that are used are loaded."""
    known = list(table) if used is None else names(table, group)

    def shape(name: str) -> Shape:
        return _shape(name, table, group) if name in table or name in (used or ()) else _ANY

    return LazyTable(known, shape)


def _outline(table: str, name: str, shapes: Mapping[str, Shape]) -> Shape:
    """Return the outline of what is built in, else the shape itself."""
    from connform.engine.load.outlines import outlines  # only mistakes need them

    return outlines()[table].get(name) or shapes[name]


def _shape(name: str, table: Mapping[str, Any], group: str, attribute: str = "shape") -> Shape:
    try:
        shape: Shape = getattr(look_up(name, table, group), attribute)
    except ConnectionFailed:  # `_rules` and `_store_rules` report it where it is used
        return _ANY
    return shape


def _provider_shapes(used: Collection[str] | None, auth: Shape) -> tuple[Mapping[str, Shape], Mapping[str, Shape]]:
    """Return the shapes of providers by name, each made when it is first read, and their outlines. `used` is as for `_shapes`."""
    known = list(PROVIDERS) if used is None else names(PROVIDERS, PROVIDERS_GROUP)
    installed = {name: auth.branches[name] for name in auth.branches if name not in METHODS}

    def shape(name: str) -> Shape:
        if name not in PROVIDERS:
            return _shape(name, PROVIDERS, PROVIDERS_GROUP) if name in (used or ()) else _ANY
        return with_own_methods(PROVIDERS[name], auth, installed)

    def outline(name: str) -> Shape:
        found = _outline("providers", name, shapes)
        methods = found.properties.get("auth")
        if not (installed and isinstance(methods, Shape)):
            return found
        own = methods._replace(branches={**methods.branches, **installed})
        return found._replace(properties={**found.properties, "auth": own})

    shapes = LazyTable(known, shape)
    return shapes, LazyTable(known, outline)


@cache
def vocabulary(providers: frozenset[str] | None = None, methods: frozenset[str] | None = None) -> Vocabulary:
    """Return everything that may stand in a manifest.

    Args:
        providers: those that the manifests name, to include those of plug-ins; `None` for built-in names.
        methods: the same of auth methods.
    """
    backends = list(BACKENDS) if providers is None else names(BACKENDS, SECRETS_GROUP)
    of_methods = _shapes(METHODS, AUTH_GROUP, methods)
    auth = Shape(
        discriminator="method",
        code="unknown-auth-method",
        branches=of_methods,
        outlines=LazyTable(of_methods, lambda name: _outline("methods", name, of_methods)),
        title="Authentication",
        description="How the connection authenticates.",
        question="The method of authentication.",
    )
    of_providers, of_outlines = _provider_shapes(providers, auth)
    connection = Shape(
        properties={**SETTINGS, "auth": auth},
        required=("auth",),
        discriminator="provider",
        default=DEFAULT_PROVIDER,
        code="unknown-provider",
        extensible=True,
        branches=of_providers,
        outlines=of_outlines,
        title="Connection",
        description="One connection.",
        question=f"The API that the connection leads to; default: {DEFAULT_PROVIDER}.",
    )
    of_backends = LazyTable(backends, lambda name: _shape(name, BACKENDS, SECRETS_GROUP, "store_shape"))
    store = Shape(
        properties={"environment": STORE_ENVIRONMENT, "timeout_s": _TIMEOUT},
        discriminator="type",
        code="unknown-store-type",
        extensible=True,
        branches=of_backends,
        outlines=LazyTable(of_backends, lambda name: _outline("backends", name, of_backends)),
        title="Store",
        description="A place where secrets lie.",
        question="What kind of place the store is.",
    )
    return Vocabulary(
        connection, store, _rules, frozenset(backends), _lint, _store_rules, _provider_entries, _declare, _FILE_BACKENDS
    )


def with_own_methods(api: Provider, auth: Shape, others: Mapping[str, Shape] = MappingProxyType({})) -> Shape:
    """Return the shape of a provider's connections: if it has auth methods of its own, with these and `others` alone.

    Args:
        api: the provider.
        auth: the shape of `auth:` with all methods.
        others: the shapes of further methods, by name.
    """
    own = getattr(api, "auth_methods", None)
    if own is None:
        return api.shape
    branches = LazyTable([*own, *others], lambda name: own[name].shape if name in own else others[name])
    own_auth = auth._replace(branches=branches, outlines={})
    return api.shape._replace(properties={**api.shape.properties, "auth": own_auth})


def _declare(known: Vocabulary, definitions: Mapping[str, Definition]) -> Vocabulary:
    """Return a vocabulary with the providers of a run's manifests; that of an entry with mistakes has any keys."""
    from connform.engine.load.declared_providers import declared

    auth: Any = known.connection.properties["auth"]
    providers = {name: declared(name, node) for name, node in definitions.items() if node is not None}
    own = {
        name: with_own_methods(providers[name], auth) if name in providers else _UNKNOWN_KEYS for name in definitions
    }
    shapes, outlines = known.connection.branches, known.connection.outlines
    connection = known.connection._replace(branches=_with(own, shapes), outlines=_with(own, outlines))
    return known._replace(connection=connection, rules=partial(_rules, definitions=definitions, providers=providers))


def _with(own: Mapping[str, Shape], others: Mapping[str, Shape]) -> Mapping[str, Shape]:
    """Return a table of shapes extended by a run's own, without a look at the others."""
    return LazyTable([*others, *own], lambda name: own[name] if name in own else others[name])


@cache
def _provider_with_shape(name: str) -> Provider:
    """Return a built-in or installed provider; raises if its shape is no Shape."""
    found = provider(name)
    _ = found.shape
    return found


@cache  # an import statement takes 2 µs, for each of thousands of connections
def _scope_findings() -> Callable[[Mapping[str, Any], str, Definition], Iterator[Finding]]:
    from connform.engine.load.scopes import findings  # few manifests have OAuth

    return findings


def _rules(
    connection: Mapping[str, Any],
    definitions: Mapping[str, Definition] = _NONE,
    providers: Mapping[str, DescribedProvider] = _NONE,
) -> Iterator[Finding]:
    """Yield the findings about a connection; `providers` are those of the valid definitions, by name."""
    if "tls" in connection or "proxy" in connection or "allow" in connection:
        yield from check_settings(connection)
    name, refresh_scope = connection.get("provider", DEFAULT_PROVIDER), ""
    definition = definitions.get(name)
    if name in definitions and definition is None:
        return  # the mistakes of its entry are reported
    try:
        used = providers[name] if name in providers else _provider_with_shape(name)
        yield from used.rules(connection)
        refresh_scope = getattr(used, "refresh_scope", "")
        if name not in _PROVIDER_NAMES:
            class_of(used, connection)  # raises if that of a plug-in is wrong
    except ConnectionFailed as failure:  # a bug of a plug-in
        yield Finding(PLUGIN_ERROR, ("provider",), failure.message, failure.hint)
    auth = connection["auth"]
    try:
        method = providers[name].auth_methods[auth["method"]] if name in providers else auth_method(connection)
        for finding in method.rules(auth):
            related = tuple(("auth", *path) for path in finding.related)
            yield Finding(
                finding.code, ("auth", *finding.path), finding.detail, finding.hint, finding.at_key, related=related
            )
        refresh_scope = getattr(method, "refresh_scope", "") or refresh_scope
        if refresh_scope and method.uses_grant:
            yield from _scope_findings()(connection, refresh_scope, definition)
    except ConnectionFailed as failure:
        yield Finding(PLUGIN_ERROR, ("auth", "method"), failure.message, failure.hint)
    if "revoke_url" in auth:
        from connform.engine.load.revoke_url import findings

        yield from findings(connection, definition)


def _provider_entries() -> ProviderEntries:
    from connform.manifest.provider_checks import ProviderEntries
    from connform.providers.described.entry import PROVIDER  # few manifests declare providers
    from connform.providers.described.rules import ProviderRules

    return ProviderEntries(PROVIDER, ProviderRules())


def _lint(reference: SecretReference, name: str, settings: Mapping[str, Any]) -> str:
    kind = backend(name)
    if reference.may_name_user and not getattr(kind, "allows_at", False):
        from connform.secret import NO_USER

        return NO_USER
    return kind.lint(reference, settings)


def _store_rules(store: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        kind = backend(store["type"])
        _ = kind.store_shape
        if isinstance(kind, HasStoreRules):
            yield from kind.rules(store)
    except SecretUnresolved as failure:
        yield Finding(PLUGIN_ERROR, ("type",), failure.message, failure.hint)


def reference_keys() -> frozenset[str]:
    """Return the keys of connections that hold secret references: of all that is built in, and of the plug-ins in use."""
    used = [plugin.shape for plugin in (*loaded(PROVIDERS_GROUP), *loaded(AUTH_GROUP))]
    return _built_in_reference_keys().union(*map(secret_keys, used)) if used else _built_in_reference_keys()


@cache
def _built_in_reference_keys() -> frozenset[str]:
    return frozenset(secret_keys(vocabulary().connection))


def all_store_reference_keys() -> frozenset[str]:
    """Return the keys of stores that hold secret references, as `reference_keys` does. It loads every built-in backend."""
    used = [plugin.store_shape for plugin in loaded(SECRETS_GROUP)]
    return _built_in_store_keys().union(*map(secret_keys, used)) if used else _built_in_store_keys()


@cache
def _built_in_store_keys() -> frozenset[str]:
    return frozenset(secret_keys(vocabulary().store))
