"""The specification of a connection: what is declared, as plain data; its digest, and the differences of two.

Layer 3, no IO. A specification holds references and no secrets, so its digest reveals nothing about a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from connform.engine.load.catalog import provider
from connform.engine.load.relative_paths import is_relative, is_relative_store
from connform.manifest.model import Connection, Store

Specification = dict[str, Any]
"""`settings`: the effective values; `base_url`: the resolved API root; `stores`: the stores that its references name;
`folder`: the folder of its manifest, if the connection has relative paths."""
_ABSENT_WHERE_EMPTY = ("tags", "timeouts", "tls")
"""Settings that mean the same if they are empty and if they are missing."""
_UNCHANGED_TYPES = frozenset({str, int, bool, type(None)})
"""Types of values that are copied unchanged."""
_PARTS = {"base_url": "/base_url", "settings": "", "stores": "/stores", "folder": "/folder"}
"""Part of a specification → the JSON pointer to it."""

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class FieldChange(NamedTuple):
    """One value that differs; JSON-ready."""

    pointer: str
    """RFC 6901 pointer: `/auth/api_key`."""
    before: Any
    """`None` if there was none."""
    after: Any
    """`None` if there is none any more."""


def specification(connection: Connection, stores: Mapping[str, Store], folder: Callable[[Path], str]) -> Specification:
    """Return the specification of a connection; it is equal for declarations that are written differently and mean the same.

    Args:
        connection: the declared connection.
        stores: the stores of the run.
        folder: returns the path of a manifest's folder in its repository.
    """
    settings = {
        key: value if isinstance(value, str) else _normalize(value)
        for key, value in connection.settings.items()
        if value or key not in _ABSENT_WHERE_EMPTY
    }
    spec = {
        "settings": settings,
        "base_url": provider(connection.provider).instance(connection).base_url,
        "stores": _stores(connection, stores, folder) if stores else {},
    }
    return {**spec, "folder": folder(connection.base)} if is_relative(settings, stores) else spec


def _stores(
    connection: Connection, stores: Mapping[str, Store], folder: Callable[[Path], str]
) -> dict[str, dict[str, Any]]:
    schemes = {reference.scheme for reference in connection.auth.references.values()}
    return {name: _store(stores[name], folder) for name in sorted(schemes) if name in stores}


def with_stores(spec: Mapping[str, Any], stores: Mapping[str, Store], folder: Callable[[Path], str]) -> Specification:
    """Return a recorded specification in which stores that are still declared are replaced by their declaration of now."""
    declared = {name: _store(stores[name], folder) for name in spec["stores"] if name in stores}
    return {**spec, "stores": {**spec["stores"], **declared}}


def _store(store: Store, folder: Callable[[Path], str]) -> dict[str, Any]:
    settings = {"type": store.type, "environment": store.environment, **_normalize(store.settings)}
    return {**settings, "folder": folder(store.base)} if is_relative_store(settings) else settings


def _normalize(value: Any) -> Any:
    """Return plain data in which whole numbers are integers: 20 for 20.0. Data without floats may be returned uncopied."""
    if isinstance(value, dict):
        return (
            value
            if _UNCHANGED_TYPES.issuperset(map(type, value.values()))
            else {key: _normalize(item) for key, item in value.items()}
        )
    if isinstance(value, list):
        return value if _UNCHANGED_TYPES.issuperset(map(type, value)) else [_normalize(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(content: Any) -> str:
    """Return the SHA-256 of plain data in its canonical form: sorted keys, no spaces, ASCII."""
    return f"sha256:{sha256(_canonical(content).encode()).hexdigest()}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the values that differ between two specifications, sorted by pointer."""
    found: dict[str, FieldChange] = {}  # a declared `base_url` and the resolved one have the same pointer: one entry
    for part, pointer in _PARTS.items():
        old, new = before.get(part), after.get(part)
        if old != new:
            _add_differing(found, pointer, old, new)
    return tuple([found[pointer] for pointer in sorted(found)])


def _add_differing(found: dict[str, FieldChange], pointer: str, before: Any, after: Any) -> None:
    """Add the differences of two unequal values to `found`, by pointer."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    for key in [key for key, value in old.items() if new.get(key) != value] + [key for key in new if key not in old]:
        inner = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        _add_differing(found, inner, old.get(key), new.get(key))
    if old or new:  # the content of objects was compared above; what remains is a value on the other side
        before = None if before is old else before
        after = None if after is new else after
    if before != after:
        found[pointer] = FieldChange(pointer, before, after)
