"""Which environment variables hold the secrets of a connection, or what opens their stores. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from connform.engine.load.catalog import backend
from connform.manifest.model import Connection, Store
from connform.secret import SecretReference

_LOCATION = ("CONNFORM_STATE",)
"""Where the state is, and the reference to its key."""
_POSTGRESQL = ("PGPASSWORD", "PGPASSFILE")


def secret_variables(
    names: Collection[str],
    connections: Iterable[Connection],
    stores: Mapping[str, Store],
    state_url: str,
    state_key: str,
) -> frozenset[str]:
    """Return those of some variables that hold a secret of connections, or that lead to one.

    Args:
        names: the names of variables.
        connections: the connections.
        stores: the stores of their manifest.
        state_url: where grants are stored.
        state_key: the reference to the key of the grants; empty for a key file.
    """
    references = [one for connection in connections for one in _all_references(connection, stores)]
    if state_key:
        references.append(SecretReference.parse(state_key))
    found: set[str] = set()
    beginnings = [*_LOCATION, *(_POSTGRESQL if state_url.startswith("postgres") else ())]
    for reference in references:
        store = stores.get(reference.scheme)
        kind = backend(store.type if store else reference.scheme)
        beginnings += getattr(kind, "login_variables", ())
        if getattr(kind, "names_variables", False):
            found.add(reference.path)
    return frozenset(name for name in names if name in found or name.startswith(tuple(beginnings)))


def _all_references(connection: Connection, stores: Mapping[str, Store]) -> Iterator[SecretReference]:
    """Yield the references of a connection, and those that open their stores."""
    for reference in connection.references.values():
        yield reference
        if store := stores.get(reference.scheme):
            yield from store.references.values()
