"""The verb `graph`: each connection with its latest verdict, its templates and its stores, as nodes. Offline.

Layer 3; reads manifests and the state database.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.errors import ManifestInvalid
from connform.manifest.harmless import mask_generated_text
from connform.manifest.model import Connection


class Node(NamedTuple):
    """One connection of the graph."""

    name: str
    """Its name."""
    group: str
    """Environment and region: `production/eu`."""
    verdict: str
    """The verdict of the latest attempt or check; empty if nothing is recorded."""
    templates: tuple[str, ...]
    """The templates that it extends, the nearest first."""
    stores: tuple[str, ...]
    """The schemes of its references: names of stores, or backends."""


def graph(
    files: Sequence[str] = (), selection: Selection = EVERYTHING, policies: Sequence[str] = (), *, state: StateLocation
) -> tuple[Node, ...]:
    """Return the selected connections, in the manifest's order.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        state: where applied records are stored.

    Raises:
        ManifestInvalid: the manifest has errors.
        UnknownConnection: the selection names no connection.
        ConnectionFailed: a fault of the state database.
    """
    manifest, report = read_manifest(files, selection, policies)
    if manifest is None:
        raise ManifestInvalid(report.diagnostics)
    with closing(StateOfRun(state, report.files)) as states:
        verdicts = {name: row[1] for name, row in states.list_rows().items()}
    return tuple(_node(connection, verdicts.get(connection.name, "")) for connection in manifest.values())


def _node(connection: Connection, verdict: str) -> Node:
    layers = connection.entry.layers if connection.entry else ()
    templates = (layer.origin.removeprefix("template ") for layer in layers if layer.origin.startswith("template "))
    schemes = dict.fromkeys(reference.scheme for reference in connection.references.values())
    group = "/".join(filter(None, (mask_generated_text(connection.environment), connection.region)))
    return Node(connection.name, group, verdict, tuple(templates), tuple(schemes))
