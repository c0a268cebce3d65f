"""Where the secrets of a manifest lie: its stores and bare backends, each with its references and who needs them. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connform.engine.load.catalog import depends_on_folder
from connform.manifest.decode import Manifest
from connform.secret import SecretReference


class Place(NamedTuple):
    """One store, or one backend without settings."""

    scheme: str
    """The scheme of its references."""
    base: Path
    """Relative paths start here, where the scheme is not that of a store."""
    kind: str
    """Its backend."""
    path: str = ""
    """The `path` of a store of files; empty elsewhere."""
    openings: tuple[SecretReference, ...] = ()
    """The references that open the store."""

    @property
    def name(self) -> str:
        return f"{self.scheme}://" if self.scheme == self.kind else f"{self.scheme} ({self.kind})"


def places_of(manifest: Manifest) -> dict[Place, dict[SecretReference, list[str]]]:
    """Return the references of each place, with the connections that need them."""
    users: dict[Place, dict[SecretReference, list[str]]] = {}
    for connection in manifest.values():
        for reference in connection.references.values():
            for place, one in _leads_to(manifest, reference, connection.base):
                users.setdefault(place, {}).setdefault(one, []).append(connection.name)
    return users


def _leads_to(manifest: Manifest, reference: SecretReference, base: Path) -> Iterator[tuple[Place, SecretReference]]:
    """Yield where a reference leads to, and where the credentials of its store do, which are plain or of other backends."""
    store = manifest.stores.get(reference.scheme)
    if store is None:
        folder = base if depends_on_folder(reference.scheme) else Path()
        yield Place(reference.scheme, folder, reference.scheme), reference
        return
    openings = tuple(store.references.values())
    yield Place(reference.scheme, store.base, store.type, store.settings.get("path", ""), openings), reference
    for opening in openings:
        yield from _leads_to(manifest, opening, store.base)
