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
from connform.errors import ManifestInvalid
from connform.manifest.decode import Manifest
from connform.manifest.files import load_sources
from connform.manifest.validate import Tree
from connform.manifest.validate import validate as validate_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.diagnostics import Diagnostic
    from connform.manifest.files import Source

_UNKNOWN_NAMES: Final = frozenset({"unknown-provider", "unknown-store-type", "unknown-scheme"})
"""Diagnostics that a plug-in may settle."""


def validate(files: Sequence[str] = ()) -> Report:
    """Return every error and warning of the manifests.

    Args:
        files: files, folders or `-`; empty for the default search.
    """
    sources, tree, diagnostics = _read(files)
    return _report(sources, tree, diagnostics)


def load_manifest(files: Sequence[str] = ()) -> tuple[Manifest, Report]:
    """Return the manifest, and the report with its warnings.

    Raises:
        ManifestInvalid: a diagnostic is an error.
    """
    sources, tree, diagnostics = _read(files)
    if any(one.severity is Severity.ERROR for one in diagnostics):
        raise ManifestInvalid(diagnostics)
    manifest = Manifest(tree, reference_keys(), DEFAULT_PROVIDER)
    return manifest, _report(sources, tree, diagnostics)


def _report(sources: Sequence[Source], tree: Tree, diagnostics: tuple[Diagnostic, ...]) -> Report:
    names = tuple(source.name for source in sources)
    return Report("validate", names, diagnostics, connection_count=len(tree.connections))


def _read(files: Sequence[str]) -> tuple[list[Source], Tree, tuple[Diagnostic, ...]]:
    sources, problems = load_sources(files)
    with _without_collector():
        tree, found = validate_sources(sources, vocabulary())
        if any(one.code in _UNKNOWN_NAMES for one in found) and vocabulary(plugins=True) != vocabulary():
            tree, found = validate_sources(sources, vocabulary(plugins=True))
    return sources, tree, tuple(sorted((*problems, *found), key=lambda one: (one.span, one.code)))


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
