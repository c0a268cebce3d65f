"""Turns a manifest and the recorded state into a plan: what `apply` would do. Needs no secret and no network.

Layer 3; reads the recorded state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.engine.describe import describe
from connform.engine.described import described_specification
from connform.engine.select import select
from connform.engine.specification import FieldChange, differences, digest, specification
from connform.engine.states import WHOLE, Shard, by_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connform.engine.report import ConnectionReport
    from connform.engine.select import Selection
    from connform.engine.states import KeptStates
    from connform.manifest.decode import Manifest
    from connform.manifest.model import Connection
    from connform.recorded import Applied, Mark
    from connform.store.states import States


_NOWHERE: Final = "<stdin>"
"""The file of what was read from standard input."""


class Action(StrEnum):
    """What is to be done about a connection."""

    CREATE = "create"
    """Never applied with success."""
    UPDATE = "update"
    """Declared otherwise than it was applied, or to be tried again."""
    REMOVE = "remove"
    """Applied, and no longer declared."""
    NONE = "none"


class Change(NamedTuple):
    """What a plan says of one connection."""

    name: str
    """The connection."""
    action: Action
    """What is to be done."""
    before: str
    """The digest of what was applied; empty where nothing was."""
    after: str
    """The digest of what is declared; empty where nothing is."""
    reasons: tuple[str, ...]
    """Why, beyond the values that differ."""
    connection: Connection | None
    """What is declared."""
    applied: Applied | None
    """What is recorded; `None` as well where there is nothing to do."""
    states: States
    """Where that is, or will be."""
    spec: Mapping[str, Any]
    """What is declared, as plain data; empty for a removal."""
    fields: tuple[FieldChange, ...] = ()
    """What differs, value by value; nothing for what is created or removed as a whole."""
    live: tuple[str, ...] = ()
    """What the live side says otherwise than recorded (`--refresh`)."""
    seen: ConnectionReport | None = None
    """What the live side answered, where nothing of it is a change (`--refresh`)."""

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do."""
        return self.action is not Action.NONE or bool(self.live)


Step = list[str]
"""A connection's name, its action, and the digests before and after."""


class Plan(NamedTuple):
    """What `apply` would do."""

    changes: tuple[Change, ...]
    """In the manifest's order, those without a change included; then what is removed, by name."""
    whole: Sequence[Step]
    """The steps of all shards: what the plan is judged by."""

    @property
    def pending(self) -> list[Change]:
        """What is to be done."""
        return [change for change in self.changes if change.is_pending]

    @property
    def steps(self) -> list[Step]:
        """What binds a plan to its apply: each connection's name, action and both digests. No live facts: they change."""
        return [[change.name, str(change.action), change.before, change.after] for change in self.changes]

    @property
    def digest(self) -> str:
        """The digest of `steps`."""
        return digest(self.steps)


class _Declared(NamedTuple):
    """A connection as the manifest has it."""

    connection: Connection
    """The connection."""
    spec: Mapping[str, Any]
    """Its specification."""
    digest: str
    """The digest of that."""
    file: str
    """Its manifest: the path in its repository."""
    states: States
    """Where it is recorded, or will be."""

    def action(self, mark: Mark | None) -> Action:
        """Return what is to be done about it."""
        if mark is None or not mark.digest:
            return Action.CREATE
        is_applied = mark.is_applied and mark.digest == self.digest and not self.is_moved(mark)
        return Action.NONE if is_applied else Action.UPDATE

    def is_moved(self, mark: Mark) -> bool:
        """Whether another file declared it before; standard input is nowhere."""
        return self.file != mark.file and self.connection.span.file != _NOWHERE


def draw(manifest: Manifest, states: KeptStates, selection: Selection, shard: Shard = WHOLE) -> Plan:
    """Return the plan for the selected connections.

    Args:
        manifest: the selected connections.
        states: what is recorded.
        selection: which connections; narrows what is removed as well.
        shard: which part of them.

    Raises:
        UnknownConnection: the selection names what is neither declared nor to be removed, or leaves nothing.
        ConnectionFailed: a fault of the store.
    """
    declared = {name: _as_declared(one, manifest, states) for name, one in manifest.items()}
    kept = {home: home.marks() for home in states.all}
    marks = {name: mark for name, one in declared.items() if (mark := kept[one.states].get(name))}
    gone = {
        name: home
        for home, found in kept.items()
        for name in states.outlived(
            {name: found[name] for name in found.keys() - manifest.declared.keys()}, manifest.searched
        )
    }
    touched = {
        name: one.states
        for name, one in declared.items()
        if name in marks and shard.has(name) and one.action(marks[name]) is not Action.NONE
    }
    left = {name: home for name, home in gone.items() if shard.has(name) or selection.tags}
    applied = _read_applied(touched | left)
    for name in touched:  # what is read now counts: nothing keeps others from writing since the marks were read
        marks.pop(name)
        if name in applied:
            marks[name] = applied[name].mark
    tags: dict[str, Sequence[str]] = {name: entry.tags for name, entry in manifest.declared.items()}
    tags |= {name: _tags(applied.get(name)) for name in sorted(gone) if name in applied or name not in left}
    removed = [name for name in select(tags, selection) if name in gone]
    whole = [_step(name, one.action(marks.get(name)), marks.get(name), one.digest) for name, one in declared.items()]
    whole += [_step(name, Action.REMOVE, kept[gone[name]][name], "") for name in removed]
    changes = [_change(one, marks.get(name), applied.get(name)) for name, one in declared.items() if shard.has(name)]
    changes += [_removal(applied[name], gone[name]) for name in removed if shard.has(name)]
    return Plan(tuple(changes), whole)


def _as_declared(connection: Connection, manifest: Manifest, states: KeptStates) -> _Declared:
    spec = specification(connection, manifest.stores, states.folder)
    file, home = states.file(connection.span.file), states.of(connection.base)
    return _Declared(connection, spec, digest(spec), file, home)


def _read_applied(wanted: Mapping[str, States]) -> dict[str, Applied]:
    """Return what was applied by name, each from where it lies; what is no longer there is left out."""
    return {name: applied for home, only in by_home(wanted).items() for name, applied in home.applied(only).items()}


def _tags(applied: Applied | None) -> tuple[str, ...]:
    return tuple(applied.spec["settings"].get("tags", ())) if applied else ()


def _step(name: str, action: Action, mark: Mark | None, after: str) -> Step:
    return [name, str(action), mark.digest if mark else "", after]


def _removal(applied: Applied, states: States) -> Change:
    mark = applied.mark
    return Change(applied.connection, Action.REMOVE, mark.digest, "", _failed(mark), None, applied, states, {})


def _change(one: _Declared, mark: Mark | None, applied: Applied | None) -> Change:
    action = one.action(mark)
    before = mark.digest if mark else ""
    fields: tuple[FieldChange, ...] = ()
    reasons = list(_failed(mark))
    if action is Action.UPDATE and mark and applied:
        fields = differences(applied.spec, one.spec)
        if before != one.digest and not fields:
            reasons.append("it was recorded in an earlier form")
        if one.is_moved(mark):
            fields = (FieldChange("/file", mark.file, one.file), *fields)
    return Change(
        name=one.connection.name,
        action=action,
        before=before,
        after=one.digest,
        reasons=tuple(reasons),
        connection=one.connection,
        applied=applied,
        states=one.states,
        spec=one.spec,
        fields=fields,
    )


def _failed(mark: Mark | None) -> tuple[str, ...]:
    """Return why what was tried last is to be done again."""
    return (f"the last attempt failed: {mark.fault}",) if mark and mark.fault else ()


def described(change: Change) -> ConnectionReport:
    """Return a change as a line of a report."""
    action = str(Action.UPDATE if change.live else change.action)
    changes, reasons = change.fields, (*change.reasons, *change.live)
    if change.seen is None and change.connection is not None:
        base_url = change.spec["base_url"]
        return describe(change.connection, base_url, action=action, changes=changes, reasons=reasons)
    line = change.seen
    if line is None:
        assert change.applied is not None  # noqa: S101  (what isn't declared is recorded)
        line = described_specification(change.name, change.applied.spec)
    return line._replace(action=action, changes=changes, reasons=reasons)
