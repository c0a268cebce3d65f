"""Turns two readings of manifests into the names of the connections that mean something else now.

Layer 3; reads a Git repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connform.engine.baseline import sources_at
from connform.engine.catalog import reference_keys, vocabulary
from connform.manifest.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.manifest.document import Entry
    from connform.manifest.validate import Tree


def changed_since(ref: str, files: Sequence[str], now: Tree) -> set[str]:
    """Return the names of the connections that are new, or whose effective values or stores differ from a commit's.

    Comments, layout, the names of templates and of files make no difference; another folder does where paths are
    relative to it.

    Args:
        ref: a commit, branch or tag.
        files: what `now` was read from: files and folders; empty for the default search.
        now: at least one connection.

    Raises:
        NoBaseline: there is nothing to compare with.
    """
    folder = next(iter(now.connections.values())).base
    before, _ = validate(sources_at(ref, files, folder), vocabulary())
    return {
        name
        for name, entry in now.connections.items()
        if name not in before.connections or _meaning(entry, now) != _meaning(before.connections[name], before)
    }


def _meaning(connection: Entry, tree: Tree) -> object:
    """Return what makes two declarations the same where it is equal."""
    if not connection.layers:
        return object()  # extends nothing that is known: equal to nothing
    schemes = set(_schemes(connection.effective.get("auth")))
    stores = [store for name, store in tree.stores.items() if name in schemes]
    in_files = vocabulary().files
    homes = [(store.name, store.node, store.base if store.node.get("type") in in_files else "") for store in stores]
    is_relative = "tls" in connection.effective or not in_files.isdisjoint(schemes)
    return connection.effective, sorted(homes, key=lambda home: home[0]), connection.base if is_relative else ""


def _schemes(auth: Any) -> Iterator[str]:
    for key, text in auth.items() if isinstance(auth, dict) else ():
        if key in reference_keys() and isinstance(text, str):
            yield text.removeprefix("ref+").partition("://")[0]
