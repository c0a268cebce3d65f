"""Turns recorded state into reports: what is known of each connection, and how it came about.

Layer 3; reads recorded state, and takes no lock but to forget. Needs no valid manifest, only the place where one lies.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from connform.engine.changes.rename_records import move_record
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection, select, unknown_connection
from connform.engine.report import Report
from connform.engine.run.describe_record import describe_record
from connform.engine.run.grants import StoredGrants
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.states import Shard, StateOfRun, part_of
from connform.errors import ManifestInvalid, Refused, UnknownConnection
from connform.manifest.files import load_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connform.engine.report import ConnectionReport
    from connform.engine.run.state_location import StateLocation


def recorded(
    files: Sequence[str],
    selection: Selection = EVERYTHING,
    *,
    state: StateLocation,
    command: str,
    with_history: bool = False,
    with_specifications: bool = True,
) -> Report:
    """Return what is recorded, by name. Verdicts of the past are part of the records, and no verdicts of this run.

    Args:
        files: manifests; their folders say where the state lies.
        selection: which connections.
        state: where state is kept.
        command: the verb of the report.
        with_history: return every attempt as well.
        with_specifications: return more than briefs, which are much less to read.

    Raises:
        ManifestInvalid: a file that was named can't be read: its state may be another.
        UnknownConnection: the selection names none.
        ConnectionFailed: a fault of the store.
    """
    names = named_manifests(files)
    with closing(StateOfRun(state, names)) as states:
        if with_specifications or selection.tags:
            lines = _lines(states, selection, with_history=with_history)
        else:
            briefs = {brief[0]: brief for home in states.tables for brief in home.briefs()}
            chosen = briefs if selection == EVERYTHING else select(dict.fromkeys(briefs, ()), selection)
            found = tuple([briefs[name] for name in chosen])
            return Report(command, tuple(names), connection_count=len(found), briefs=found)
    return Report(command, tuple(names), connections=tuple(lines), connection_count=len(lines))


def _lines(states: StateOfRun, selection: Selection, *, with_history: bool) -> list[ConnectionReport]:
    if not _is_one(selection):
        records = states.read()  # and nothing else: a run of apply may be under way
        tags = {name: tuple(record.spec["settings"].get("tags", ())) for name, record in records.items()}
        chosen = select(tags, selection)
        histories = (
            {name: one for home in states.tables for name, one in home.histories().items()} if with_history else {}
        )
        return [describe_record(records[name], tuple(histories.get(name, ()))) for name in chosen]
    (name,) = selection.names
    for home in states.tables:
        record = home.record(name)
        if record is not None:
            return [describe_record(record, tuple(home.history(name)) if with_history else ())]
    raise UnknownConnection(unknown_connection(name, states.summaries()))


def _is_one(selection: Selection) -> bool:
    """Whether a selection is one name and no glob."""
    return (
        selection == Selection(selection.names)
        and len(selection.names) == 1
        and frozenset("*?[").isdisjoint(selection.names[0])
    )


def named_manifests(files: Sequence[str]) -> list[str]:
    """Return the names of the manifests, of which the folders alone matter.

    Raises:
        ManifestInvalid: one that was named can't be read; without a name there need be none.
    """
    sources, problems = load_sources(files, content=False)
    if files and problems:
        raise ManifestInvalid(tuple(problems))
    return [source.name for source in sources]


def forget(files: Sequence[str], name: str, *, state: StateLocation, lock_timeout_s: float) -> None:
    """Forget a connection: its record and its history. Its server hears nothing of it, and its grant stays.

    Args:
        files: manifests; their folders say where the state lies.
        name: the connection.
        state: where state is kept.
        lock_timeout_s: how long to wait for a run of `apply`.

    Raises:
        ManifestInvalid: a file that was named can't be read: its state may be another.
        UnknownConnection: nothing is recorded under that name.
        ConnectionFailed: a fault of the store.
    """
    with closing(StateOfRun(state, named_manifests(files))) as states:
        marks = states.summaries()
        if name not in marks:
            raise UnknownConnection(unknown_connection(name, marks))
        home = marks[name][1]
        with home.held([Shard.name_of(part_of(name))], lock_timeout_s) as changes:
            changes.write((), [name])


def move(files: Sequence[str], old: str, new: str, *, state: StateLocation, lock_timeout_s: float) -> None:
    """Give the record, the history and the grant of a connection to another name, whatever the manifests say.

    Args:
        files: manifests; their folders say where the state lies, and their stores may hold the key of the grants.
        old: the name that it has.
        new: the name that it gets.
        state: where state and grants are kept.
        lock_timeout_s: how long to wait for a run of `apply`.

    Raises:
        ManifestInvalid: a file that was named can't be read: its state may be another.
        UnknownConnection: nothing lies under the old name.
        Refused: something lies under the new one.
        ConnectionFailed: a fault of the store.
    """
    names = named_manifests(files)
    with closing(StateOfRun(state, names)) as states:
        known = {name: home for home in states.tables for name in (*home.marks(), *home.grants())}
        if old not in known:
            raise UnknownConnection(unknown_connection(old, known))
        home = known[old]
        manifest, _ = read_manifest(files)
        parts = sorted(Shard.name_of(part_of(name)) for name in {old, new})
        with (
            home.held(dict.fromkeys(parts), lock_timeout_s) as changes,
            closing(SecretResolver(manifest.stores if manifest else {})) as source,
            closing(StoredGrants(state, source)) as grants,
        ):
            for other in states.tables:
                if new in other.marks() or new in other.grants():
                    message = f"{new} is in the state already: choose another name, or `connform state rm {new}` first"
                    raise Refused(message)
            move_record(old, new, changes, grants.table_for_folder(states.folder_of(home)))
