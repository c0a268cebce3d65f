"""Loading of manifests: reads and validates files, and returns the selected connections and a report. Always offline.

Layer 3; reads manifests.
"""

# ruff: noqa: PTH100, PTH114, PTH120  (pathlib would cost start-up)

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connform.diagnostics import Diagnostic, Severity
from connform.engine.load.catalog import DEFAULT_PROVIDER, auth_reference_keys, has_plugins, store_reference_keys
from connform.engine.load.policies import apply_policies
from connform.engine.load.selection import EVERYTHING, Selection, select
from connform.engine.load.vocabulary import vocabulary
from connform.engine.report import Report
from connform.errors import ManifestInvalid, UnknownConnection
from connform.manifest.document import Entry
from connform.manifest.files import Source, load_sources, searched_folders
from connform.manifest.ignores import Ignores
from connform.manifest.tally import MORE, Tally
from connform.manifest.tree import Tree
from connform.manifest.validate import validate as validate_sources
from connform.manifest.validate import with_providers
from connform.secrets.kit.interface import DEFAULT_TIMEOUT_S

if TYPE_CHECKING:
    from pathlib import Path

    from connform.manifest.decode import Manifest

_NOT_FOUND = "file-not-found"
_ABSENT = "nothing is here any more: what was recorded of it is to be removed; leave it out of `-f` once that is done"
_UNKNOWN_NAMES = frozenset({"unknown-auth-method", "unknown-provider", "unknown-store-type", "unknown-scheme"})
"""Diagnostics that disappear if an installed plug-in has the name."""


def examine_files(files: Sequence[str], selection: Selection, policies: Sequence[str]) -> Report:
    """Return the report with the diagnostics that concern the selection; arguments and errors as for `validate`."""
    _, report = _restrict(*_read(files, policies), selection, files)
    return report


def connection_tags(files: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the tags of every connection by its name, as far as the manifests can be read; mistakes are ignored."""
    tree, _ = _read(files, ())
    return {name: tuple(entry.tags) for name, entry in tree.connections.items()}


def declared_providers(files: Sequence[str] = ()) -> Mapping[str, Entry]:
    """Return the valid entries of `providers:` by name, as far as the manifests can be read."""
    tree, _ = _read(files, ())
    return {name: entry for name, entry in tree.providers.items() if entry.is_valid}


def _restrict(
    tree: Tree, report: Report, selection: Selection, files: Sequence[str], *, may_miss: bool = False
) -> tuple[Tree, Report]:
    """Return a tree with the selected connections, and a report without the diagnostics of other connections.

    Raises:
        UnknownConnection: a name, glob or tag of the selection matches nothing, or nothing is left.
        NoBaseline: the commit of `changed_since` can't be read.
    """
    if selection == EVERYTHING:
        return tree, report
    try:
        names = select({name: entry.tags for name, entry in tree.connections.items()}, selection, may_miss=may_miss)
    except UnknownConnection:
        if report.number_of(Severity.ERROR):
            return tree, report  # perhaps one of the errors is why the connection is missing
        raise
    if selection.changed_since and tree.connections:
        from connform.engine.load.changed import changed_since

        changed_names = changed_since(selection.changed_since, files, tree)
        names = [name for name in names if name in changed_names]
    chosen = {name: tree.connections[name] for name in names}
    diagnostics = tuple(
        diagnostic for diagnostic in report.diagnostics if _concerns(diagnostic, tree.connections, chosen)
    )
    return tree._replace(connections=chosen), report._replace(diagnostics=diagnostics, connection_count=len(chosen))


def _concerns(diagnostic: Diagnostic, connections: Mapping[str, Entry], chosen: Mapping[str, Entry]) -> bool:
    """Whether a diagnostic belongs to no connection, to a chosen one, or to a value that a chosen one inherits too."""
    if diagnostic.code == MORE[Severity.ERROR]:
        # Errors of no connection are listed first, so the unlisted ones are of connections.
        return not all(entry.is_valid for entry in chosen.values())
    if diagnostic.connection not in connections or diagnostic.connection in chosen:
        return True
    path = tuple(part.replace("~1", "/").replace("~0", "~") for part in diagnostic.pointer.split("/")[3:])
    layer = connections[diagnostic.connection].layer(path)
    return layer.origin != "connection" and any(entry.layer(path).node is layer.node for entry in chosen.values())


def read_manifest(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    may_miss: bool = False,
    absent: Collection[str] = (),
) -> tuple[Manifest | None, Report]:
    """Return the selected part of the manifest, and its report; `None` instead of the manifest if there are errors.

    Arguments and errors as for `validate`. With `may_miss`, a name, glob or tag may match no declared connection: it may
    match a recorded one. The files and folders in `absent` declare nothing, though they are missing or empty.
    """
    full_tree, report = _read(files, policies, absent)
    tree, report = _restrict(full_tree, report, selection, files, may_miss=may_miss)
    if report.number_of(Severity.ERROR):
        return None, report
    from pathlib import Path

    from connform.manifest.decode import Manifest  # imports the model, which `validate` never needs

    folders = folders_of(report.files)
    searched = tuple(Path(os.path.abspath(folder)) for folder in (*searched_folders(files), *absent))
    keys = (auth_reference_keys, store_reference_keys)
    return Manifest(tree, *keys, DEFAULT_PROVIDER, DEFAULT_TIMEOUT_S, full_tree.connections, folders, searched), report


def folders_of(files: Sequence[str]) -> tuple[Path, ...]:
    """Return the folders of manifests, each once; the working directory if there are no manifests."""
    from pathlib import Path

    return tuple(
        Path(folder) for folder in dict.fromkeys(os.path.dirname(os.path.abspath(file)) for file in files)
    ) or (Path.cwd(),)


def load_manifest(files: Sequence[str] = (), policies: Sequence[str] = ()) -> Manifest:
    """Return the manifest with all of its connections.

    Raises:
        ManifestInvalid: it has errors.
    """
    manifest, report = read_manifest(files, policies=policies)
    if manifest is None:
        raise ManifestInvalid(report.diagnostics)
    return manifest


def absent_paths(files: Sequence[str], report: Report) -> list[str]:
    """Return the files and folders of a command line that are missing or empty, by the report on them."""
    missing = {one.span.file for one in report.diagnostics if one.code == _NOT_FOUND}
    return [name for name in files if name in missing and not os.path.islink(name)]


def _read(files: Sequence[str], policies: Sequence[str], absent: Collection[str] = ()) -> tuple[Tree, Report]:
    sources, problems = load_sources(files)
    return examine(sources, [_as_empty(one) if one.span.file in absent else one for one in problems], policies)


def _as_empty(problem: Diagnostic) -> Diagnostic:
    """Return the warning on a file or folder that is missing, and counts as empty."""
    from connform.manifest.diagnose import diagnose_file

    return diagnose_file("no-connections", _ABSENT, problem.span)


def examine(
    sources: Sequence[Source], problems: Sequence[Diagnostic] = (), policies: Sequence[str] = ()
) -> tuple[Tree, Report]:
    """Return what manifests declare, and the report on them; `problems` are the diagnostics of unreadable files."""
    with _without_collector():
        ignores = Ignores(sources)
        known_vocabulary, tally = vocabulary(), Tally(ignores)
        tree = validate_sources(sources, known_vocabulary, tally)
        if tally.has_any(_UNKNOWN_NAMES) and has_plugins():
            known_vocabulary, tally = vocabulary(*_used_names(tree)), Tally(ignores)
            tree = validate_sources(sources, known_vocabulary, tally)
        known_vocabulary = with_providers(known_vocabulary, tree)
        policy_results = apply_policies(policies, sources, tree, known_vocabulary, tally)
        for problem in problems:
            tally.note(problem)
        tally.add_unused_ignores(
            has_errors=any(mistake.severity is Severity.ERROR for mistake in policy_results.mistakes)
        )
        found = tally.diagnostics()
        listed: Sequence[Diagnostic] = ()
        if found:
            from connform.manifest.source_excerpts import add_source_lines  # only mistakes need it

            listed = add_source_lines(found, [*sources, *policy_results.texts], known_vocabulary, tree.stores)
    diagnostics = tuple(
        sorted(
            (*listed, *policy_results.mistakes),
            key=lambda diagnostic: (diagnostic.span, diagnostic.code, diagnostic.detail),
        )
    )
    names = tuple(source.name for source in sources)
    return tree, Report(
        "validate",
        names,
        diagnostics,
        connection_count=len(tree.connections),
        policy_count=policy_results.policy_count,
    )


def _used_names(tree: Tree) -> tuple[frozenset[str], frozenset[str]]:
    """Return the providers and the auth methods that connections, templates and `defaults` name."""
    entries = (*tree.templates.values(), *tree.connections.values())
    nodes = [node for entry in entries for node in (entry.node, entry.defaults) if node]
    settings = [auth for node in nodes if isinstance(auth := node.get("auth"), dict)]
    providers = (node.get("provider") for node in nodes)
    methods = (auth.get("method") for auth in settings)
    return _texts(providers), _texts(methods)


def _texts(values: Iterable[object]) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Stop the cyclic garbage collector: it would visit a tree that only grows, and take longer than the parser."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
