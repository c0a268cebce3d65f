"""Turns two readings of manifests into the names of the connections that mean something else now.

Layer 3; reads a Git repository.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from connform.engine.load.catalog import vocabulary
from connform.engine.load.git_baseline import sources_at
from connform.engine.load.relative_paths import is_relative, is_relative_store, references
from connform.manifest.tally import Tally
from connform.manifest.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connform.manifest.document import Entry
    from connform.manifest.tree import Tree


def changed_since(ref: str, files: Sequence[str], now: Tree) -> set[str]:
    """Return the names of the connections that are new, or whose effective values or stores differ from a commit's.

    Comments, layout, the names of templates and of files make no difference; another folder does where paths are
    relative to it. Links count as they stood.

    Args:
        ref: a commit, branch or tag.
        files: what `now` was read from: files and folders; empty for the default search.
        now: at least one connection.

    Raises:
        NoBaseline: there is nothing to compare with.
    """
    before = validate(sources_at(ref, files), vocabulary(), Tally())
    return {
        name
        for name, entry in now.connections.items()
        if name not in before.connections
        or _meaning(entry, now, os.path.realpath) != _meaning(before.connections[name], before, str)
    }


def _meaning(connection: Entry, tree: Tree, resolved: Callable[[str], str]) -> object:
    """Return what makes two declarations the same where it is equal.

    Args:
        connection: one declaration.
        tree: what else stands there.
        resolved: follows the links of a folder; at a commit they are followed already.
    """
    if not connection.layers:
        return object()  # extends nothing that is known: equal to nothing
    effective = connection.effective
    schemes = {scheme for scheme, _ in references(effective)}
    stores = [tree.stores[name] for name in schemes if name in tree.stores]
    homes = [
        (store.name, store.node, resolved(store.base) if is_relative_store(store.node) else "") for store in stores
    ]
    folder = resolved(connection.base) if is_relative(effective) else ""
    return effective, sorted(homes, key=lambda home: home[0]), folder
