"""The specification of a connection: what is declared, as plain data; its digest, and the differences of two.

Layer 3, no IO. A specification holds references and no secrets, so its digest reveals nothing about a secret.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.engine.load.catalog import provider
from connform.engine.load.relative_paths import is_relative, is_relative_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from connform.manifest.model import Connection, Store

Specification = dict[str, Any]
"""`settings`, the effective values; `base_url`, resolved; `stores`, those that its references name; `folder`, that of
its manifest, where a path is relative to it."""
_ABSENT_WHERE_EMPTY: Final = ("tags", "timeouts", "tls")
"""Settings of which an empty one says what none says."""
_SAME: Final = frozenset({str, int, bool, type(None)})
"""What is plain data as it is."""
_PARTS: Final = {"base_url": "/base_url", "settings": "", "stores": "/stores", "folder": "/folder"}
"""Part of a specification → the pointer to it."""

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class FieldChange(NamedTuple):
    """One value that differs; JSON-ready."""

    pointer: str
    """RFC 6901 pointer: `/auth/api_key`."""
    before: Any
    """`None` where there was none."""
    after: Any
    """`None` where there is none any more."""


def specification(connection: Connection, stores: Mapping[str, Store], folder: Callable[[Path], str]) -> Specification:
    """Return what makes a connection what it is: two that mean the same are equal, however they are written.

    Args:
        connection: what is declared.
        stores: the stores of the run.
        folder: returns the path of a manifest's folder in its repository.
    """
    settings = {
        key: value if isinstance(value, str) else _plain(value)
        for key, value in connection.settings.items()
        if value or key not in _ABSENT_WHERE_EMPTY
    }
    spec = {
        "settings": settings,
        "base_url": provider(connection.provider).instance(connection).base_url,
        "stores": _stores(connection, stores, folder) if stores else {},
    }
    return {**spec, "folder": folder(connection.base)} if is_relative(settings) else spec


def _stores(
    connection: Connection, stores: Mapping[str, Store], folder: Callable[[Path], str]
) -> dict[str, dict[str, Any]]:
    schemes = {reference.scheme for reference in connection.auth.references.values()}
    return {name: _store(stores[name], folder) for name in sorted(schemes) if name in stores}


def with_stores(spec: Mapping[str, Any], stores: Mapping[str, Store], folder: Callable[[Path], str]) -> Specification:
    """Return a recorded specification with those of its stores that are declared now as they are now."""
    now = {name: _store(stores[name], folder) for name in spec["stores"] if name in stores}
    return {**spec, "stores": {**spec["stores"], **now}}


def _store(store: Store, folder: Callable[[Path], str]) -> dict[str, Any]:
    settings = {"type": store.type, "environment": store.environment, **_plain(store.settings)}
    return {**settings, "folder": folder(store.base)} if is_relative_store(settings) else settings


def _plain(value: Any) -> Any:
    """Return plain data, the same where it can be, in which equal numbers are written alike: 20.0 as 20."""
    if isinstance(value, dict):
        return (
            value if _SAME.issuperset(map(type, value.values())) else {key: _plain(one) for key, one in value.items()}
        )
    if isinstance(value, list):
        return value if _SAME.issuperset(map(type, value)) else [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(content: Any) -> str:
    """Return the SHA-256 of plain data in its canonical form: sorted keys, no spaces, ASCII."""
    return f"sha256:{sha256(_canonical(content).encode()).hexdigest()}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return what differs between two specifications, value by value, by pointer."""
    found: dict[str, FieldChange] = {}  # a base URL that is declared is resolved to the same
    for part, pointer in _PARTS.items():
        old, new = before.get(part), after.get(part)
        if old != new:
            _add_differing(found, pointer, old, new)
    return tuple([found[pointer] for pointer in sorted(found)])


def _add_differing(found: dict[str, FieldChange], pointer: str, before: Any, after: Any) -> None:
    """Add what differs in two values that aren't equal to what was found, by pointer."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    for key in [key for key, value in old.items() if new.get(key) != value] + [key for key in new if key not in old]:
        inner = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        _add_differing(found, inner, old.get(key), new.get(key))
    if old or new:  # what is inside has been told; what took its place has not
        before = None if before is old else before
        after = None if after is new else after
    if before != after:
        found[pointer] = FieldChange(pointer, before, after)
