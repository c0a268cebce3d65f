"""The verb `state`: lists, shows and forgets what is recorded of connections: applied records and checks.

Layer 3; reads the state database. Only `forget` locks and writes. Needs no valid manifest, only its location.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from connform.database.check_table import LATEST
from connform.engine.load.selection import EVERYTHING, Selection, select, unknown_connection
from connform.engine.report import Report
from connform.engine.run.shard import Shard, part_of
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.errors import ManifestInvalid, UnknownConnection
from connform.manifest.files import load_sources

if TYPE_CHECKING:
    from connform.engine.connection_report import ConnectionReport


def report_state(
    files: Sequence[str],
    selection: Selection = EVERYTHING,
    *,
    state: StateLocation,
    command: str,
    with_history: bool = False,
    with_specifications: bool = True,
) -> Report:
    """Return a report of the applied records and recorded checks. Recorded verdicts don't change the exit code of the report.

    Args:
        files: manifests; by default, the state database is in their folders.
        selection: which connections.
        state: where applied records are stored.
        command: the verb of the report.
        with_history: include every recorded attempt, and all that is kept of checks; otherwise the latest of these.
        with_specifications: include whole records. Without them only `Report.briefs` is filled, which reads much less data.

    Raises:
        ManifestInvalid: a named file can't be read, so the location of its state is unknown.
        UnknownConnection: the selection names no recorded connection.
        ConnectionFailed: a fault of the state database.
    """
    names = manifest_names(files)
    with closing(StateOfRun(state, names)) as states:
        note = states.missing_note() or states.copied_note()
        if not (with_specifications or selection.tags):
            rows = states.list_rows()
            if selection != EVERYTHING:
                rows = {name: rows[name] for name in select(dict.fromkeys(rows, ()), selection)}
            found = tuple(rows.values())
            return Report(command, tuple(names), connection_count=len(found), briefs=found, note=note)
        at_most = None if with_history else LATEST
        lines = _describe(states, selection, with_history=with_history, at_most=at_most)
    return Report(command, tuple(names), connections=tuple(lines), connection_count=len(lines), note=note)


def _describe(
    states: StateOfRun, selection: Selection, *, with_history: bool, at_most: int | None
) -> list[ConnectionReport]:
    from connform.engine.run.describe_record import describe_recorded  # a list of names needs none

    if _is_one_name(selection):
        (name,) = selection.names
        for table in states.tables:
            record, checks = table.record(name), table.checks.histories({name}, at_most=at_most).get(name)
            if record or checks:
                return [describe_recorded(record, tuple(table.history(name)) if with_history else (), checks)]
        raise UnknownConnection(unknown_connection(name, states.list_rows()))
    records = states.read()  # read once: a run of `apply` may be changing records
    checked = states.checks(at_most=at_most)
    tags = {name: one.latest.tags for name, one in checked.items()}
    tags |= {name: tuple(record.spec["settings"].get("tags", ())) for name, record in records.items()}
    histories = (
        {name: one for table in states.tables for name, one in table.histories().items()} if with_history else {}
    )
    return [
        describe_recorded(records.get(name), tuple(histories.get(name, ())), checked.get(name))
        for name in select({name: tags[name] for name in sorted(tags)}, selection)
    ]


def _is_one_name(selection: Selection) -> bool:
    """Whether a selection is exactly one name, and not a glob."""
    return (
        selection == Selection(selection.names)
        and len(selection.names) == 1
        and frozenset("*?[").isdisjoint(selection.names[0])
    )


def manifest_names(files: Sequence[str]) -> list[str]:
    """Return the file names of the manifests; only their folders are used.

    Raises:
        ManifestInvalid: a named file can't be read. Without names, no manifest is required.
    """
    sources, problems = load_sources(files, content=False)
    if files and problems:
        raise ManifestInvalid(tuple(problems))
    return [source.name for source in sources]


def forget(files: Sequence[str], name: str, *, state: StateLocation, lock_timeout_s: float) -> None:
    """Delete the applied record, the history, the recorded checks and the issued token of a connection. Nothing is sent to its server, and its grant stays.

    Args:
        files: manifests; by default, the state database is in their folders.
        name: the connection.
        state: where applied records are stored.
        lock_timeout_s: how long to wait for a run of `apply`.

    Raises:
        ManifestInvalid: a named file can't be read, so the location of its state is unknown.
        UnknownConnection: nothing is recorded under that name.
        ConnectionFailed: a fault of the state database.
    """
    with closing(StateOfRun(state, manifest_names(files))) as states:
        known = {
            name: table for table in states.tables for name in (*table.checks.histories(at_most=0), *table.summaries())
        }
        if name not in known:
            raise UnknownConnection(unknown_connection(name, known))
        with known[name].lock_parts([Shard.name_of(part_of(name))], lock_timeout_s) as changes:
            changes.write((), [name])
