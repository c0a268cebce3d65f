"""Turns the names of manifest files into a manifest and a report of everything wrong in it. Always offline.

Layer 3; reads manifests.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from connform.diagnostics import Severity
from connform.engine.catalog import DEFAULT_PROVIDER, reference_keys, vocabulary
from connform.engine.report import Report
from connform.engine.select import EVERYTHING, Selection, select
from connform.errors import ManifestInvalid
from connform.manifest.files import load_sources
from connform.manifest.validate import validate as validate_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.manifest.decode import Manifest
    from connform.manifest.validate import Tree

_UNKNOWN_NAMES: Final = frozenset({"unknown-provider", "unknown-store-type", "unknown-scheme"})
"""Diagnostics that a plug-in may settle."""


def validate(files: Sequence[str] = (), selection: Selection = EVERYTHING) -> Report:
    """Return every error and warning of the manifests.

    Args:
        files: files, folders or `-`; empty for the default search.
        selection: leave out what concerns other connections only; everything is read all the same.

    Raises:
        UnknownConnection: the selection names none.
    """
    tree, report = _read(files)
    if selection == EVERYTHING:
        return report
    chosen = set(select({name: entry.tags for name, entry in tree.connections.items()}, selection))
    kept = tuple(one for one in report.diagnostics if one.connection in ("", *chosen))
    return report._replace(diagnostics=kept, connection_count=len(chosen))


def read_manifest(files: Sequence[str] = ()) -> tuple[Manifest | None, Report]:
    """Return the manifest, or `None` where it has errors, and the report on it."""
    tree, report = _read(files)
    if report.number_of(Severity.ERROR):
        return None, report
    from connform.manifest.decode import Manifest  # imports the model, which `validate` never needs

    return Manifest(tree, reference_keys(), DEFAULT_PROVIDER), report


def load_manifest(files: Sequence[str] = ()) -> Manifest:
    """Return the manifest.

    Raises:
        ManifestInvalid: it has errors.
    """
    manifest, report = read_manifest(files)
    if manifest is None:
        raise ManifestInvalid(report.diagnostics)
    return manifest


def _read(files: Sequence[str]) -> tuple[Tree, Report]:
    sources, problems = load_sources(files)
    with _without_collector():
        tree, found = validate_sources(sources, vocabulary())
        if any(one.code in _UNKNOWN_NAMES for one in found) and vocabulary(plugins=True) != vocabulary():
            tree, found = validate_sources(sources, vocabulary(plugins=True))
    diagnostics = tuple(sorted((*problems, *found), key=lambda one: (one.span, one.code)))
    names = tuple(source.name for source in sources)
    return tree, Report("validate", names, diagnostics, connection_count=len(tree.connections))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Stop the cyclic garbage collector: it would walk a tree that only grows, and take longer than the parse."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
