"""Equal meaning: the form in which a value of a specification is compared with another, and shown where they differ.

Layer 3, no IO. The schema of a key says what its default is, and in which spellings it means the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

from connform.engine.changes.definition_part import recorded_definition
from connform.engine.load.catalog import DEFAULT_PROVIDER, reads_files
from connform.engine.load.declared_providers import declared
from connform.engine.load.environment_class import environment_class
from connform.engine.load.scopes import requested_scopes
from connform.engine.load.vocabulary import vocabulary, with_own_methods
from connform.manifest.branches import Branches
from connform.manifest.shape import Schema
from connform.manifest.urls import UrlError, parse_url
from connform.providers.described.provider import DescribedProvider
from connform.secret import MalformedReferenceError, SecretReference

_SCOPES = ("auth", "scopes")
_EMPTY: tuple[object, ...] = ({}, [])
"""Values that mean the same as none."""


def effective_value(keys: Sequence[str], value: Any, spec: Mapping[str, Any], schema: Schema) -> Any:
    """Return a value as it takes effect: the default where there is none, URLs, paths, headers and references in one spelling.

    Args:
        keys: the keys that lead to it: those of a connection, or `stores`, a store's name, and those of the store.
        value: the value in the specification; `None` if it has none.
        spec: the specification.
        schema: what `schema_of` returns for the keys.
    """
    if keys == _SCOPES:  # the provider has the default
        return sorted(requested_scopes(spec["settings"], recorded_definition(spec))) or None
    if schema.get("x-compare") == "class":  # so does its default
        return environment_class(spec["settings"], recorded_definition(spec))
    if value is None or (value in _EMPTY and not _is_json(schema)):
        value = schema.get("default")
    if schema.get("uniqueItems") and isinstance(value, list):
        return sorted(value) or None
    if not isinstance(value, str):
        return value
    if schema.get("x-secret"):
        return _reference(value, spec["stores"])
    return _SPELLINGS.get(schema.get("x-compare", ""), str)(value)


def is_default(written: Any, effective: Any) -> bool:
    """Whether a value takes effect that is not written; arguments as the value and the result of `effective_value`."""
    return effective is not None and (written is None or (written in _EMPTY and written != effective))


def is_json(keys: Sequence[str], spec: Mapping[str, Any]) -> bool:
    """Whether a value is JSON that is compared as a whole; arguments as for `effective_value`."""
    return keys[0] != "stores" and _is_json(schema_of(keys, spec))


def _is_json(schema: Schema) -> bool:
    return schema.get("x-compare") == "json"


def schema_of(keys: Sequence[str], spec: Mapping[str, Any]) -> Schema:
    """Return the schema of a value, with arguments as for `effective_value`; without any keyword for one that is not declared by a manifest alone."""
    if keys[0] == "stores":
        node, keys, branches = spec["stores"].get(keys[1], {}), keys[2:], _store_branches()
    else:
        node = spec["settings"]
        branches = _connection_branches_of(spec)
    schema: Schema = branches.branch_for(node).schema
    for key in keys:
        schema = schema.get("properties", {}).get(key, {})
    return schema


def _connection_branches_of(spec: Mapping[str, Any]) -> Branches:
    settings, definition = spec["settings"], recorded_definition(spec)
    if definition is not None:
        return _declared_branches(declared(settings["provider"], definition))
    return _connection_branches(settings.get("provider", DEFAULT_PROVIDER), settings.get("auth", {}).get("method", ""))


@lru_cache(maxsize=256)
def _declared_branches(provider: DescribedProvider) -> Branches:
    auth: Any = vocabulary().connection.properties["auth"]
    own = {provider.definition.name: with_own_methods(provider, auth)}
    return Branches(vocabulary().connection._replace(branches=own, outlines={}))


@cache
def _connection_branches(provider: str, method: str) -> Branches:
    return Branches(vocabulary(frozenset({provider}), frozenset({method})).connection)


@cache
def _store_branches() -> Branches:
    return Branches(vocabulary().store)


def _reference(text: str, stores: Mapping[str, Mapping[str, Any]]) -> str:
    try:
        reference = SecretReference.parse(text)
    except MalformedReferenceError:  # a default, which a description alone names
        return text
    kind = stores.get(reference.scheme, {}).get("type", reference.scheme)
    return str(reference._replace(path=normpath(reference.path)) if reads_files(kind) else reference)


def _url(text: str) -> str:
    try:
        return str(parse_url(text, query=True))
    except UrlError:  # a proxy by plain http, or `environment`
        parts = urlsplit(text)
        return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower().removesuffix(":80")).geturl()


_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "url": _url,
    "root": lambda text: _url(text).rstrip("/"),
    "path": normpath,
    "header": str.lower,
}
"""`x-compare` of a schema → the function that returns the one spelling."""
