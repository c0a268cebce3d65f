"""Look-up of providers, auth methods and secret backends, by the names that manifests use.

Layer 3; no IO but the look-up of entry points, and that only for names that aren't built in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from connform.auth import METHODS
from connform.errors import ConnectionFailed
from connform.manifest.shape import secret_keys
from connform.providers import PROVIDERS
from connform.registry import AUTH_GROUP, PROVIDERS_GROUP, SECRETS_GROUP, find, names
from connform.secret import MalformedReferenceError, SecretReference
from connform.secrets import BACKENDS

if TYPE_CHECKING:
    from connform.auth.interface import AuthMethod
    from connform.manifest.model import Connection
    from connform.providers.interface import Provider
    from connform.secrets.kit.interface import Backend

Definition: TypeAlias = "Mapping[str, Any] | None"
"""An entry of `providers:`, as declared or as recorded; `None` for a built-in or installed provider."""
Found = TypeVar("Found")
DEFAULT_PROVIDER = "iinked-sign"
_NO_METHODS: Mapping[str, AuthMethod] = MappingProxyType({})


def _installed(name: str, found: Found | None) -> Found:
    if found is None:
        raise LookupError(name)  # `validate` accepts no such manifest
    return found


def look_up(name: str, table: Mapping[str, Found], group: str) -> Found | None:
    """Return what has a name: what is built in, else the plug-in of a group, else `None`; errors as for `registry.find`."""
    found = table.get(name)
    if found is not None:
        return found
    from connform.engine.load.plugin_kinds import KINDS  # what is built in needs none

    return find(name, table, KINDS[group])


def _usable(name: str, table: Mapping[str, Found], group: str) -> Found | None:
    """Return what has a name; `None` if nothing has, or it is a plug-in that can't be loaded: `validate` names that."""
    try:
        return look_up(name, table, group)
    except ConnectionFailed:
        return None


def provider(name: str, definition: Definition = None) -> Provider:
    """Return a provider by its name, which comes from a valid manifest; `definition` is the entry of `providers:` for it, if any."""
    if definition is not None:
        return _maker()(name, definition)
    return _installed(name, look_up(name, PROVIDERS, PROVIDERS_GROUP))


@cache  # an import statement takes 2 µs, for each of thousands of connections
def _maker() -> Callable[[str, Mapping[str, Any]], Provider]:
    from connform.engine.load.declared_providers import declared  # few manifests declare providers

    return declared


def provider_of(connection: Connection) -> Provider:
    """Return the provider of a valid connection."""
    return provider(connection.provider, connection.definition)


def backend(name: str) -> Backend:
    """Return a secret backend by its name, which comes from a valid manifest."""
    return _installed(name, look_up(name, BACKENDS, SECRETS_GROUP))


@cache
def reads_files(name: str) -> bool:
    """Whether the paths of a backend are those of files. `False` for a backend that can't be used, which a record may name."""
    return getattr(_usable(name, BACKENDS, SECRETS_GROUP), "reads_files", False)


@cache
def depends_on_folder(name: str) -> bool:
    """Whether a reference means another secret in a manifest of another folder. `False` for a backend that can't be used."""
    return getattr(_usable(name, BACKENDS, SECRETS_GROUP), "depends_on_folder", False)


def auth_method(settings: Mapping[str, Any], definition: Definition = None) -> AuthMethod:
    """Return the auth method of an effective and valid connection; `definition` as for `provider`."""
    of_provider, name = settings.get("provider", DEFAULT_PROVIDER), settings["auth"]["method"]
    if definition is None:
        return _known_method(of_provider, name)
    return _installed(name, own_methods(of_provider, definition).get(name))


@cache
def _known_method(of_provider: str, name: str) -> AuthMethod:
    """Return a method of a built-in or installed provider; raises if its shape is no Shape."""
    found = _installed(name, own_methods(of_provider).get(name) or look_up(name, METHODS, AUTH_GROUP))
    _ = found.shape
    return found


def own_methods(name: str, definition: Definition = None) -> Mapping[str, AuthMethod]:
    """Return the auth methods of a provider that is described by data, by their names; empty for another one.

    `definition` is as for `provider`. The other methods of a built-in provider are those of packages.
    """
    found = provider(name, definition) if definition is not None else _usable(name, PROVIDERS, PROVIDERS_GROUP)
    return getattr(found, "auth_methods", _NO_METHODS)


def method_of(connection: Connection) -> AuthMethod:
    """Return the auth method of a valid connection."""
    return auth_method(connection.settings, connection.definition)


def uses_grant(settings: Mapping[str, Any], definition: Definition = None) -> bool:
    """Whether an effective or recorded connection has a grant. `False` for an auth method that can't be used, which a record may name."""
    return getattr(usable_method(settings, definition), "uses_grant", False)


def has_grant(connection: Connection) -> bool:
    """Whether a valid connection has a grant."""
    return uses_grant(connection.settings, connection.definition)


def usable_method(settings: Mapping[str, Any], definition: Definition) -> AuthMethod | None:
    """Return the auth method of an effective or recorded connection; `None` for one that can't be used, which a record may name."""
    of_provider, name = settings.get("provider", DEFAULT_PROVIDER), settings["auth"]["method"]
    return (
        own_methods(of_provider, definition).get(name) if definition is not None else _usable_method(of_provider, name)
    )


@cache
def _usable_method(of_provider: str, name: str) -> AuthMethod | None:
    own = own_methods(of_provider).get(name)
    return own if own is not None else _usable(name, METHODS, AUTH_GROUP)


def has_plugins() -> bool:
    """Whether a package adds a provider, an auth method or a backend; the search for them takes 30 ms."""
    tables = ((PROVIDERS, PROVIDERS_GROUP), (BACKENDS, SECRETS_GROUP), (METHODS, AUTH_GROUP))
    return any(len(names(table, group)) > len(table) for table, group in tables)


def auth_reference_keys(settings: Mapping[str, Any], definition: Definition = None) -> frozenset[str] | None:
    """Return the keys under `auth:` that hold secret references; `None` for a method that is not installed, which a record may name."""
    found = usable_method(settings, definition)
    return _reference_keys(found) if found is not None else None  # type: ignore[arg-type]  # every object is hashable


@lru_cache(maxsize=1024)
def _reference_keys(method: AuthMethod) -> frozenset[str]:
    return frozenset(secret_keys(method.shape))


@lru_cache(maxsize=1024)
def _sorted_reference_keys(method: AuthMethod) -> tuple[str, ...]:
    return tuple(sorted(_reference_keys(method)))  # type: ignore[arg-type]  # as above


def references_of(settings: Mapping[str, Any], definition: Definition = None) -> dict[str, SecretReference]:
    """Return the secret references under `auth:` of an effective or recorded connection, by key."""
    return references_for(usable_method(settings, definition), settings["auth"])


def references_for(method: AuthMethod | None, auth: Mapping[str, Any]) -> dict[str, SecretReference]:
    """Return the secret references of an auth method by key, from the keys under `auth:`.

    Of a method that is not installed (`None`), every text that is one: a recorded secret is not forgotten with the package of its method.
    """
    if method is not None:
        keys = _sorted_reference_keys(method)  # type: ignore[arg-type]  # as above
        return {key: SecretReference.parse(auth[key]) for key in keys if key in auth}
    found: dict[str, SecretReference] = {}
    for key, value in sorted(auth.items()):
        if isinstance(value, str):
            with suppress(MalformedReferenceError):
                found[key] = SecretReference.parse(value)
    return found


@cache
def store_reference_keys(kind: str) -> frozenset[str] | None:
    """Return the keys of a backend's stores that hold secret references; `None` for one that is not installed, as above."""
    found = _usable(kind, BACKENDS, SECRETS_GROUP)
    return frozenset(secret_keys(found.store_shape)) if found is not None else None
