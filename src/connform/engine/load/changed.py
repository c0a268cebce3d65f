"""`--changed-since`: the names of the connections whose effective values or stores differ from those in a Git commit.

Layer 3; reads a Git repository.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from connform.engine.load.git_baseline import sources_at
from connform.engine.load.relative_paths import is_relative, is_relative_store, references
from connform.engine.load.vocabulary import vocabulary
from connform.manifest.compiled import equality_key
from connform.manifest.document import Entry
from connform.manifest.tally import Tally
from connform.manifest.tree import Tree, definition_in
from connform.manifest.validate import validate


def changed_since(ref: str, files: Sequence[str], now: Tree) -> set[str]:
    """Return the names of the connections that are new, or whose effective values or stores differ from a commit's.

    Comments, layout, and the names of templates and files are ignored. The folder is compared only if the connection has
    relative paths. Links of the commit are followed to where they led in that commit.

    Args:
        ref: a commit, branch or tag.
        files: the files and folders from which `now` was read; empty for the default search.
        now: the declarations now; at least one connection.

    Raises:
        NoBaseline: the commit can't be read.
    """
    before = validate(sources_at(ref, files), vocabulary(), Tally())
    return {
        name
        for name, entry in now.connections.items()
        if name not in before.connections
        or _meaning(entry, now, os.path.realpath) != _meaning(before.connections[name], before, str)
    }


def _meaning(connection: Entry, tree: Tree, real_path: Callable[[str], str]) -> object:
    """Return a value that is equal for two declarations with the same meaning.

    Args:
        connection: the declaration.
        tree: all declarations of the same reading.
        real_path: returns a folder with its links followed; in a commit, they are followed already.
    """
    if not connection.layers:
        return object()  # it extends an unknown template: equal to nothing
    effective = connection.effective
    definition = definition_in(tree, effective)
    schemes = {scheme for scheme, _ in references(effective, definition)}
    stores = [tree.stores[name] for name in schemes if name in tree.stores]
    declared_stores = [
        (store.name, store.node, real_path(store.base) if is_relative_store(store.node) else "") for store in stores
    ]
    folder = real_path(connection.base) if is_relative(effective, tree.stores, definition) else ""
    return equality_key(effective), definition, sorted(declared_stores, key=lambda store: store[0]), folder
