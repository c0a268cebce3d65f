"""Turns `-c`, `--exclude` and `--tag` into the connections of a run.

Layer 3, no IO.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from connform.errors import UnknownConnection
from connform.manifest.explain import similar

if TYPE_CHECKING:
    from connform.manifest.decode import Manifest


@dataclass(frozen=True, slots=True)
class Selection:
    """Which connections a run is about; empty: all."""

    names: tuple[str, ...] = ()
    """Names or globs; a connection matches one of them."""
    exclude: tuple[str, ...] = ()
    """Names or globs to leave out."""
    tags: tuple[str, ...] = ()
    """A connection has one of them."""


def select(manifest: Manifest, selection: Selection) -> list[str]:
    """Return the names of the selected connections in the manifest's order.

    Raises:
        UnknownConnection: a name or glob that matches nothing: a typo would otherwise pass as success.
    """
    for pattern in selection.names:
        if not any(fnmatchcase(name, pattern) for name in manifest):
            raise UnknownConnection(unknown_connection(pattern, manifest))
    return [name for name in manifest if _matches(name, manifest, selection)]


def _matches(name: str, manifest: Manifest, selection: Selection) -> bool:
    if selection.names and not any(fnmatchcase(name, pattern) for pattern in selection.names):
        return False
    if any(fnmatchcase(name, pattern) for pattern in selection.exclude):
        return False
    return not selection.tags or not set(selection.tags).isdisjoint(manifest.tags(name))


def unknown_connection(name: str, manifest: Manifest) -> str:
    """Say that no connection has a name, and which one may be meant."""
    guess = similar(name, manifest)
    return f"no connection matches `{name}`" + (f"; did you mean `{guess}`?" if guess else "")
