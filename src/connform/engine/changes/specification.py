"""The specification of a connection: what is declared, as plain data; its digest, and the differences of two.

Layer 3, no IO. A specification holds references and no secrets, so its digest reveals nothing about a secret.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from connform.engine.changes.canonical import canonical, digest_of
from connform.engine.changes.definition_part import DEFINITION, definition_part
from connform.engine.changes.equal_meaning import effective_value, is_default, is_json, schema_of
from connform.engine.load.catalog import Definition, auth_reference_keys, provider_of
from connform.engine.load.relative_paths import is_relative, is_relative_store, split_reference
from connform.manifest.model import Connection, Store
from connform.manifest.settings import PROSE
from connform.providers.described.provider import DescribedProvider
from connform.providers.interface import Provider

Specification = dict[str, Any]
"""`settings`: the effective values; `base_url`: the resolved API root; `stores`: the stores that its references name;
`folder`: the folder of its manifest, if the connection has relative paths; `definition`: what a declared provider means for it."""
StorePart = dict[str, Any]
"""What a specification says of one store: its settings, type and environments; its folder, if it has relative paths."""
_ABSENT_WHERE_EMPTY = ("tags", "timeouts", "tls")
"""Settings that mean the same if they are empty and if they are missing."""
_UNCHANGED_TYPES = frozenset({str, int, bool, type(None)})
"""Types of values that are copied unchanged."""
_TEXT = frozenset({str})
_BASE_URL = ("base_url",)
_PARTS: Mapping[str, tuple[str, ...]] = {
    "base_url": _BASE_URL,
    "settings": (),
    "stores": ("stores",),
    "folder": ("folder",),
    DEFINITION: ("provider",),
}
"""Part of a specification → the keys that lead to it in a pointer."""

_TIMEOUTS = "/timeouts/"
_HARMLESS_KEYS = frozenset({"tags", "timeouts", *PROSE})
_HARMLESS = frozenset({"/file", "/tags", *(f"/{key}" for key in PROSE)})
"""The pointers, besides those of time-outs, to what decides neither what is sent nor where to: see `is_harmless`."""


class FieldChange(NamedTuple):
    """One value that differs; JSON-ready."""

    pointer: str
    """RFC 6901 pointer: `/auth/api_key`."""
    before: Any
    """`None` if there was none."""
    after: Any
    """`None` if there is none any more."""
    is_default_before: bool = False
    """Whether nothing was declared, and `before` is connform's own default."""
    is_default_after: bool = False
    """Whether nothing is declared any more, and `after` is connform's own default."""


def specify(
    connection: Connection, stores: Mapping[str, StorePart], folder: Callable[[Path], str]
) -> tuple[Specification, str]:
    """Return the specification of a connection, and its digest; they are equal for declarations that are written differently and mean the same.

    Args:
        connection: the declared connection.
        stores: what `store_parts` returns for the stores of the run.
        folder: returns the path of a manifest's folder in its repository.
    """
    settings, definition = connection.settings, connection.definition
    if empty := [key for key in _ABSENT_WHERE_EMPTY if key in settings and not settings[key]]:
        settings = {key: value for key, value in settings.items() if key not in empty}
    provider = provider_of(connection)
    spec = {
        "settings": settings,
        "base_url": _base_url(provider, connection),
        "stores": _used_stores(settings, definition, stores) if stores else {},
    }
    if definition is not None:
        spec[DEFINITION] = definition_part(connection, definition, provider.instance(connection))
    if is_relative(settings, stores, definition):
        spec["folder"] = folder(connection.base)
    text = canonical(spec)
    # `20.0` and `1e+16`: only where one of these stands, a number may be whole without being an integer
    if (".0" in text or "+" in text) and (normal := _normalize(settings)) is not settings:
        spec["settings"] = normal
        text = canonical(spec)
    return spec, digest_of(text)


def _base_url(provider: Provider, connection: Connection) -> str:
    if isinstance(provider, DescribedProvider):  # its other URLs take longer, and are of no use here
        return provider.base_url(connection)
    return provider.instance(connection).base_url


def store_parts(stores: Mapping[str, Store], folder: Callable[[Path], str]) -> dict[str, StorePart]:
    """Return what a specification says of each store, by name; `folder` as for `specify`."""
    return {name: _store(store, folder) for name, store in stores.items()}


def _used_stores(
    settings: Mapping[str, Any], definition: Definition, stores: Mapping[str, StorePart]
) -> dict[str, StorePart]:
    auth, proxy = settings["auth"], settings.get("proxy")
    found = [auth[key] for key in auth_reference_keys(settings, definition) or () if key in auth]
    found += [proxy["password"]] if isinstance(proxy, dict) else []
    schemes = {scheme for scheme, _ in map(split_reference, found)}
    return {name: stores[name] for name in sorted(schemes) if name in stores}


def with_stores(spec: Mapping[str, Any], stores: Mapping[str, StorePart]) -> Specification:
    """Return a recorded specification in which stores that are still declared are replaced by their declaration of now; `stores` as for `specify`."""
    declared = {name: stores[name] for name in spec["stores"] if name in stores}
    return {**spec, "stores": {**spec["stores"], **declared}}


def _store(store: Store, folder: Callable[[Path], str]) -> StorePart:
    environments = sorted(store.environments)
    environment = environments if len(environments) > 1 else "".join(environments)
    settings = {"type": store.type, "environment": environment, **_normalize(store.settings)}
    return {**settings, "folder": folder(store.base)} if is_relative_store(settings) else settings


def _normalize(value: Any) -> Any:
    """Return plain data in which whole numbers are integers: 20 for 20.0. An object without such numbers is returned uncopied."""
    if isinstance(value, dict):
        changed = {
            key: new
            for key, item in value.items()
            if type(item) not in _UNCHANGED_TYPES and (new := _normalize(item)) is not item
        }
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        return value if _UNCHANGED_TYPES.issuperset(map(type, value)) else [_normalize(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_harmless(pointers: Collection[str]) -> bool:
    """Whether values differ, and all that do are sentences for people, tags, time-outs, or the file of the manifest."""
    return bool(pointers) and all(one in _HARMLESS or one.startswith(_TIMEOUTS) for one in pointers)


def is_sent_alike(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two specifications say the same, in the same spelling, of all that decides what is sent and where to."""
    return before.keys() == after.keys() and all(
        value == after[part] or (part == "settings" and _sending(value) == _sending(after[part]))
        for part, value in before.items()
    )


def _sending(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in _HARMLESS_KEYS}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the values that take another effect in one specification than in another, as they take effect, sorted by pointer."""
    found: dict[str, FieldChange] = {}
    for part, keys_of_part in _PARTS.items():
        part_before, part_now = before.get(part), after.get(part)
        if _are_equal(part_before, part_now):
            continue
        unequal = _unequal_values(keys_of_part, part_before, part_now, (before, after))
        have_one_schema = part == "settings" and all(keys[0] in _HARMLESS_KEYS for keys, *_ in unequal)
        for keys, written_before, written_now in unequal:
            if keys == _BASE_URL and part == "settings":  # the resolved one was compared
                continue
            schema = schema_of(keys, before)
            old = effective_value(keys, written_before, before, schema)
            new = effective_value(keys, written_now, after, schema if have_one_schema else schema_of(keys, after))
            if not _are_equal(old, new):
                pointer = _pointer(keys)
                defaults = (is_default(written_before, old), is_default(written_now, new))
                found[pointer] = FieldChange(pointer, old, new, *defaults)
    return tuple([found[pointer] for pointer in sorted(found)]) if len(found) > 1 else tuple(found.values())


@lru_cache(maxsize=1024)
def _pointer(keys: tuple[str, ...]) -> str:
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)


def _are_equal(before: Any, after: Any) -> bool:
    """Whether values are equal in JSON; for Python, 1 and `true` are equal as well."""
    if before is after:
        return True
    if before != after:
        return False
    if isinstance(before, str):
        return True
    if isinstance(before, dict):
        values = before.values()
        return _TEXT.issuperset(map(type, values)) or all(map(_are_equal, values, map(after.get, before)))
    if isinstance(before, list):
        return _TEXT.issuperset(map(type, before)) or all(map(_are_equal, before, after))
    return isinstance(before, bool) == isinstance(after, bool)


def _unequal_values(
    keys: tuple[str, ...], before: Any, after: Any, specs: tuple[Mapping[str, Any], ...]
) -> list[tuple[tuple[str, ...], Any, Any]]:
    """Return what differs of two values that aren't equal, with the keys that lead to it; `None` for a value that one side doesn't have."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    if not (old or new) or (keys and any(is_json(keys, spec) for spec in specs)):
        return [(keys, before, after)]
    found: list[tuple[tuple[str, ...], Any, Any]] = []
    for key in {**old, **new}:
        if not _are_equal(value := old.get(key), now := new.get(key)):
            found += _unequal_values((*keys, key), value, now, specs)
    # the content of objects was compared above; what remains is a value on the other side
    before = None if before is old else before
    after = None if after is new else after
    return found if before == after else [*found, (keys, before, after)]
