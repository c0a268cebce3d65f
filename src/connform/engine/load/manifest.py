"""Loads manifests: files to the selected connections, with a report of everything wrong in them. Always offline.

Layer 3; reads manifests.
"""

# ruff: noqa: PTH100, PTH120  (pathlib would cost start-up)

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from connform.diagnostics import Severity
from connform.engine.load.catalog import DEFAULT_PROVIDER, reference_keys, store_reference_keys, vocabulary
from connform.engine.load.policies import judge
from connform.engine.load.selection import EVERYTHING, Selection, select
from connform.engine.report import Report
from connform.errors import ManifestInvalid, UnknownConnection
from connform.manifest.files import load_sources, searched_folders
from connform.manifest.ignores import Ignores
from connform.manifest.tally import MORE, Tally
from connform.manifest.validate import validate as validate_sources
from connform.secrets.kit.interface import READ_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from connform.diagnostics import Diagnostic
    from connform.manifest.decode import Manifest
    from connform.manifest.document import Entry
    from connform.manifest.files import Source
    from connform.manifest.tree import Tree

_UNKNOWN_NAMES: Final = frozenset({"unknown-provider", "unknown-store-type", "unknown-scheme"})
"""Diagnostics that a plug-in may settle."""


def examine_files(files: Sequence[str], selection: Selection, policies: Sequence[str]) -> Report:
    """Return every error and warning of manifests that concerns the selection; arguments and errors as for `validate`."""
    _, report = _restrict(*_read(files, policies), selection, files)
    return report


def connection_tags(files: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the tags of every connection by its name, as far as the manifests can be read; says nothing of mistakes."""
    tree, _ = _read(files, ())
    return {name: tuple(entry.tags) for name, entry in tree.connections.items()}


def _restrict(
    tree: Tree, report: Report, selection: Selection, files: Sequence[str], *, may_miss: bool = False
) -> tuple[Tree, Report]:
    """Return a tree and a report without what concerns other connections only.

    Raises:
        UnknownConnection: the selection names what is not there, or leaves nothing.
        NoBaseline: the selection compares with what can't be read.
    """
    if selection == EVERYTHING:
        return tree, report
    try:
        names = select({name: entry.tags for name, entry in tree.connections.items()}, selection, may_miss=may_miss)
    except UnknownConnection:
        if report.number_of(Severity.ERROR):
            return tree, report  # it may be an error that hides the connection
        raise
    if selection.changed_since and tree.connections:
        from connform.engine.load.changed import changed_since

        touched = changed_since(selection.changed_since, files, tree)
        names = [name for name in names if name in touched]
    chosen = {name: tree.connections[name] for name in names}
    kept = tuple(one for one in report.diagnostics if _concerns(one, tree.connections, chosen))
    return tree._replace(connections=chosen), report._replace(diagnostics=kept, connection_count=len(chosen))


def _concerns(one: Diagnostic, connections: Mapping[str, Entry], chosen: Mapping[str, Entry]) -> bool:
    """Whether a diagnostic belongs to no connection, or to a chosen one, be it that this one inherits it as well."""
    if one.code == MORE[Severity.ERROR]:  # mistakes that belong to no connection are listed before those that do
        return not all(entry.is_valid for entry in chosen.values())
    if one.connection not in connections or one.connection in chosen:
        return True
    path = tuple(part.replace("~1", "/").replace("~0", "~") for part in one.pointer.split("/")[3:])
    layer = connections[one.connection].layer(path)
    return layer.origin != "connection" and any(entry.layer(path).node is layer.node for entry in chosen.values())


def read_manifest(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    may_miss: bool = False,
) -> tuple[Manifest | None, Report]:
    """Return the selected part of the manifest, or `None` where that has errors, and the report on it.

    Arguments and errors as for `validate`; `may_miss`: a name may match nothing here, but a connection that is recorded.
    """
    whole, report = _read(files, policies)
    tree, report = _restrict(whole, report, selection, files, may_miss=may_miss)
    if report.number_of(Severity.ERROR):
        return None, report
    from pathlib import Path

    from connform.manifest.decode import Manifest  # imports the model, which `validate` never needs

    folders = folders_of(report.files)
    searched = tuple(Path(os.path.abspath(folder)) for folder in searched_folders(files))
    keys = (reference_keys(), store_reference_keys)
    return Manifest(tree, *keys, DEFAULT_PROVIDER, READ_S, whole.connections, folders, searched), report


def folders_of(files: Sequence[str]) -> tuple[Path, ...]:
    """Return the folders of manifests, each once; this one where there are none."""
    from pathlib import Path

    return tuple(
        Path(folder) for folder in dict.fromkeys(os.path.dirname(os.path.abspath(file)) for file in files)
    ) or (Path.cwd(),)


def load_manifest(files: Sequence[str] = (), policies: Sequence[str] = ()) -> Manifest:
    """Return the manifest.

    Raises:
        ManifestInvalid: it has errors.
    """
    manifest, report = read_manifest(files, policies=policies)
    if manifest is None:
        raise ManifestInvalid(report.diagnostics)
    return manifest


def _read(files: Sequence[str], policies: Sequence[str]) -> tuple[Tree, Report]:
    sources, problems = load_sources(files)
    return examine(sources, problems, policies)


def examine(
    sources: Sequence[Source], problems: Sequence[Diagnostic] = (), policies: Sequence[str] = ()
) -> tuple[Tree, Report]:
    """Return what manifests declare, and the report on them; `problems` are those of their files."""
    with _without_collector():
        ignores = Ignores(sources)
        known, tally = vocabulary(), Tally(ignores)
        tree = validate_sources(sources, known, tally)
        if tally.has_any(_UNKNOWN_NAMES) and vocabulary(plugins=True) != known:
            known, tally = vocabulary(plugins=True), Tally(ignores)
            tree = validate_sources(sources, known, tally)
        judged = judge(policies, sources, tree, known, tally)
        for problem in problems:
            tally.note(problem)
        tally.add_unused_ignores(has_errors=any(one.severity is Severity.ERROR for one in judged.mistakes))
        found = tally.diagnostics()
        listed: tuple[Diagnostic, ...] = ()
        if found:
            from connform.manifest.source_excerpts import add_source_lines  # only mistakes need it

            listed = add_source_lines(found, [*sources, *judged.texts], known, tree.stores)
    diagnostics = tuple(sorted((*listed, *judged.mistakes), key=lambda one: (one.span, one.code, one.detail)))
    names = tuple(source.name for source in sources)
    return tree, Report(
        "validate",
        names,
        diagnostics,
        connection_count=len(tree.connections),
        policy_count=judged.policy_count,
    )


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
