"""Turns a manifest and the recorded state into a plan: what `apply` would do. Needs no secret and no network.

Layer 3; reads the recorded state.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.engine.changes.living_grants import describe_grant, leaves_grant, living, probable_renames
from connform.engine.changes.origins import sends
from connform.engine.changes.production import ProductionSecrets
from connform.engine.changes.production import production_secrets as production
from connform.engine.changes.renames import find_renames
from connform.engine.changes.specification import FieldChange, differences, digest, specification, with_stores
from connform.engine.load.selection import select
from connform.engine.run.describe import describe
from connform.engine.run.describe_record import describe_specification
from connform.engine.run.states import WHOLE, Shard, by_home
from connform.errors import UnknownConnection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connform.database.state_table import StateTable
    from connform.engine.changes.origins import Send
    from connform.engine.changes.renames import Rename
    from connform.engine.load.selection import Selection
    from connform.engine.report import ConnectionReport
    from connform.engine.run.states import StateOfRun
    from connform.grant import GrantFacts
    from connform.manifest.decode import Manifest
    from connform.manifest.model import Connection
    from connform.recorded import Applied, RecordSummary


_OAUTH: Final = "oauth2"
_NOWHERE: Final = "<stdin>"
"""The file of what was read from standard input."""


class Action(StrEnum):
    """What is to be done about a connection."""

    CREATE = "create"
    """Never applied with success."""
    UPDATE = "update"
    """Declared otherwise than it was applied, or to be tried again."""
    MOVE = "move"
    """Recorded under another name, from which `moved:` leads to this one; perhaps declared otherwise as well."""
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
    states: StateTable
    """Where that is, or will be."""
    spec: Mapping[str, Any]
    """What is declared, as plain data; empty for a removal."""
    fields: tuple[FieldChange, ...] = ()
    """What differs, value by value; nothing for what is created or removed as a whole."""
    live: tuple[str, ...] = ()
    """What the live side says otherwise than recorded (`--refresh`)."""
    seen: ConnectionReport | None = None
    """What the live side answered, where nothing of it is a change (`--refresh`)."""
    ending: Mapping[str, Any] = MappingProxyType({})
    """The specification by which a grant is ended: that of then, with the stores of now; empty where there is none to end."""
    moved_from: str = ""
    """The name under which it is recorded now, or its grant is kept."""
    is_only_moved: bool = False
    """Whether nothing is to be tried once it has its new name."""
    revokes: GrantFacts | None = None
    """The grant that lives and would be ended."""

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do."""
        return self.action is not Action.NONE or bool(self.live)


Step = list[str]
"""A connection's name, its action, and the digests before and after; then the name that it had, and the grant that ends, where
there is one of them."""


def step(name: str, action: str, before: str, after: str, moved_from: str, revokes: str) -> Step:
    """Return what binds one change to its apply."""
    more = {"moved_from": moved_from, "revokes": revokes}
    return [name, action, before, after, *(f"{key} {text}" for key, text in more.items() if text)]


class Plan(NamedTuple):
    """What `apply` would do."""

    changes: tuple[Change, ...]
    """In the manifest's order, those without a change included; then what is removed, by name."""
    whole: Sequence[Step]
    """The steps of all shards: what the plan is judged by."""
    known: ProductionSecrets = ProductionSecrets()
    """What is recorded of production's secrets; nothing where there is nothing to do."""

    @property
    def pending(self) -> list[Change]:
        """What is to be done."""
        return [change for change in self.changes if change.is_pending]

    @property
    def steps(self) -> list[Step]:
        """What binds a plan to its apply: of each connection what `step` says. No live facts: they change."""
        return [
            step(
                one.name,
                str(one.action),
                one.before,
                one.after,
                one.moved_from,
                describe_grant(one.revokes) if one.revokes else "",
            )
            for one in self.changes
        ]

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
    states: StateTable
    """Where it is recorded, or will be."""
    moved_from: str = ""
    """The name under which it is recorded now; empty for its own."""

    @property
    def recorded_as(self) -> str:
        """The name under which it is recorded, if it is."""
        return self.moved_from or self.connection.name

    def action(self, mark: RecordSummary | None) -> Action:
        """Return what is to be done about it."""
        return Action.MOVE if self.moved_from else self.further_action(mark)

    def further_action(self, mark: RecordSummary | None) -> Action:
        """Return what is to be done about it once it has its name."""
        if mark is None or not mark.digest:
            return Action.CREATE
        is_applied = mark.is_applied and mark.digest == self.digest and not self.is_moved(mark)
        return Action.NONE if is_applied else Action.UPDATE

    def is_moved(self, mark: RecordSummary) -> bool:
        """Whether another file declared it before; standard input is nowhere."""
        return self.file != mark.file and self.connection.span.file != _NOWHERE


def make_plan(manifest: Manifest, states: StateOfRun, selection: Selection, shard: Shard = WHOLE) -> Plan:
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
    kept = {home: home.summaries() for home in states.all}
    grants = {home: home.grants() for home in states.all}
    homes = {name: one.states for name, one in declared.items()}
    renames = list(find_renames(manifest.moved, homes, kept, grants, states))
    declared |= {
        one.new: declared[one.new]._replace(moved_from=one.old)
        for one in renames
        if one.new in declared and not one.problem
    }
    marks = {name: mark for name, one in declared.items() if (mark := kept[one.states].get(one.recorded_as))}
    known = manifest.declared.keys() | {one.old for one in renames if not one.problem}
    gone = {
        name: home
        for home, found in kept.items()
        for name in states.outlived({name: found[name] for name in found.keys() - known}, manifest.searched)
    }
    _require_present_names(selection, manifest, gone)
    touched = [
        one
        for name, one in declared.items()
        if name in marks and shard.has(name) and one.further_action(marks[name]) is not Action.NONE
    ]
    left = {name: home for name, home in gone.items() if shard.has(name) or selection.tags}
    applied = _read_applied({one.recorded_as: one.states for one in touched} | left)
    for one in touched:  # what is read now counts: nothing keeps others from writing since the marks were read
        marks.pop(one.connection.name)
        if one.recorded_as in applied:
            marks[one.connection.name] = applied[one.recorded_as].summary
    tags: dict[str, Sequence[str]] = {name: entry.tags for name, entry in manifest.declared.items()}
    tags |= {name: _tags(applied.get(name)) for name in sorted(gone) if name in applied or name not in left}
    removed = [name for name in select(tags, selection) if name in gone]
    whole = [_step(name, one.action(marks.get(name)), marks.get(name), one.digest) for name, one in declared.items()]
    whole += [_step(name, Action.REMOVE, kept[gone[name]][name], "") for name in removed]
    remarks = dict(probable_renames(whole)) | {one.old: one.problem for one in renames if one.problem}
    changes = [
        _change(one, marks.get(name), applied.get(one.recorded_as), grants[one.states].get(one.recorded_as))
        for name, one in declared.items()
        if shard.has(name)
    ]
    changes += [
        _removal(applied[name], gone[name], remarks.get(name, ""), grants[gone[name]].get(name))
        for name in removed
        if shard.has(name)
    ]
    changes = [
        change._replace(ending=_spec_when_granted(change, manifest, states))
        for change in _with_renames(renames, changes)
    ]
    plan = Plan(tuple(changes), whole)
    return plan._replace(known=production(states)) if plan.pending else plan


def _require_present_names(selection: Selection, manifest: Manifest, gone: Mapping[str, StateTable]) -> None:
    """Let a selection pass that names no connection by the name that it had.

    Raises:
        UnknownConnection: it does.
    """
    for name in selection.names:
        if name in manifest.moved and name not in gone:
            message = (
                f"no connection matches `{name}`: `moved:` says that it is `{manifest.moved[name]}` now; name that"
            )
            raise UnknownConnection(message)


def _with_renames(renames: Sequence[Rename], changes: Sequence[Change]) -> Iterator[Change]:
    """Yield changes; one that creates what was to be moved says why it isn't."""
    missed = {one.new: f"{one.old}: {one.problem}" for one in renames if one.problem}
    for change in changes:
        why = missed.get(change.name, "") if change.action is Action.CREATE else ""
        yield change._replace(reasons=(*change.reasons, why)) if why else change


def _as_declared(connection: Connection, manifest: Manifest, states: StateOfRun) -> _Declared:
    spec = specification(connection, manifest.stores, states.folder)
    file, home = states.file(connection.span.file), states.of(connection.base)
    return _Declared(connection, spec, digest(spec), file, home)


def _read_applied(wanted: Mapping[str, StateTable]) -> dict[str, Applied]:
    """Return what was applied by name, each from where it lies; what is no longer there is left out."""
    return {name: applied for home, only in by_home(wanted).items() for name, applied in home.applied(only).items()}


def _tags(applied: Applied | None) -> tuple[str, ...]:
    return tuple(applied.spec["settings"].get("tags", ())) if applied else ()


def _step(name: str, action: Action, mark: RecordSummary | None, after: str) -> Step:
    return [name, str(action), mark.digest if mark else "", after]


def _removal(applied: Applied, states: StateTable, remark: str, grant: GrantFacts | None) -> Change:
    mark = applied.summary
    reasons = (*_failed(mark), *([remark] if remark else ()))
    change = Change(applied.connection, Action.REMOVE, mark.digest, "", reasons, None, applied, states, {})
    return change._replace(revokes=living(grant))


def _change(one: _Declared, mark: RecordSummary | None, applied: Applied | None, grant: GrantFacts | None) -> Change:
    further = one.further_action(mark)
    before = mark.digest if mark else ""
    fields: tuple[FieldChange, ...] = ()
    reasons = list(_failed(mark))
    if further is Action.UPDATE and mark and applied:
        fields = differences(applied.spec, one.spec)
        if before != one.digest and not fields:
            reasons.append("it was recorded in an earlier form")
        if one.is_moved(mark):
            fields = (FieldChange("/file", mark.file, one.file), *fields)
    return Change(
        name=one.connection.name,
        action=one.action(mark),
        before=before,
        after=one.digest,
        reasons=tuple(reasons),
        connection=one.connection,
        applied=applied._replace(connection=one.connection.name) if applied else None,
        states=one.states,
        spec=one.spec,
        fields=fields,
        moved_from=one.moved_from,
        is_only_moved=bool(one.moved_from) and further is Action.NONE,
        revokes=living(grant) if leaves_grant(applied, one.connection) else None,
    )


def _spec_when_granted(change: Change, manifest: Manifest, states: StateOfRun) -> Mapping[str, Any]:
    """Return the specification by which a change ends a grant; empty where it ends none."""
    then = change.applied.spec if change.applied else {}
    now = change.spec["settings"] if change.spec else {}
    has_grant = [settings.get("auth", {}).get("method") == _OAUTH for settings in (then.get("settings", {}), now)]
    return with_stores(then, manifest.stores, states.folder) if has_grant == [True, False] else {}


def sends_of(change: Change) -> tuple[Send, ...]:
    """Return what a change sends where when it is carried out; nothing where there is nothing to do."""
    if not change.is_pending or (change.is_only_moved and not change.live):
        return ()
    specs = [spec for spec in (change.spec, change.ending) if spec]
    return tuple(dict.fromkeys(send for spec in specs for send in sends(spec)))


def _failed(mark: RecordSummary | None) -> tuple[str, ...]:
    """Return why what was tried last is to be done again."""
    return (f"the last attempt failed: {mark.fault}",) if mark and mark.fault else ()


def describe_change(change: Change) -> ConnectionReport:
    """Return a change as a line of a report."""
    action = str(Action.UPDATE if change.live else change.action)
    changes, reasons = change.fields, (*change.reasons, *change.live)
    if change.seen is None and change.connection is not None:
        line = describe(change.connection, change.spec["base_url"])
    elif change.seen is None:
        assert change.applied is not None  # noqa: S101  (what isn't declared is recorded)
        line = describe_specification(change.name, change.applied.spec)
    else:
        line = change.seen
    return line._replace(
        action=action,
        changes=changes,
        reasons=reasons,
        sends=sends_of(change),
        moved_from=change.moved_from,
        revokes=change.revokes,
    )
