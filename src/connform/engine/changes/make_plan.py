"""Making of a plan: compares the manifests of a run with the recorded state. Needs no secret and no network.

Layer 3; reads the recorded state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connform.engine.changes.compare import change_of_declared, change_of_removed, declared_connection
from connform.engine.changes.living_grants import probable_renames
from connform.engine.changes.plan import Action, Plan
from connform.engine.changes.production import production_secrets
from connform.engine.changes.renames import find_renames
from connform.engine.changes.specification import with_stores
from connform.engine.load.selection import select
from connform.engine.run.states import SINGLE_SHARD, Shard, by_table
from connform.errors import UnknownConnection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connform.database.state_table import StateTable
    from connform.engine.changes.plan import Change, Step
    from connform.engine.changes.renames import Rename
    from connform.engine.load.selection import Selection
    from connform.engine.run.states import StateOfRun
    from connform.manifest.decode import Manifest
    from connform.recorded import Applied, RecordSummary

_OAUTH: Final = "oauth2"


def make_plan(manifest: Manifest, states: StateOfRun, selection: Selection, shard: Shard = SINGLE_SHARD) -> Plan:
    """Return the plan for the selected connections.

    Args:
        manifest: the selected connections.
        states: the recorded state.
        selection: the selection, which applies to removals as well.
        shard: the part of the connections that the plan is about.

    Raises:
        UnknownConnection: a name, glob or tag of the selection matches no declared connection and no removal, or nothing
            is left.
        ConnectionFailed: a fault of the state database.
    """
    declared = {name: declared_connection(one, manifest, states) for name, one in manifest.items()}
    kept = {home: home.marks() for home in states.tables}
    grants = {home: home.grants() for home in states.tables}
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
        for name in states.undeclared({name: found[name] for name in found.keys() - known}, manifest.searched)
    }
    _require_present_names(selection, manifest, gone)
    touched = [
        one
        for name, one in declared.items()
        if name in marks and shard.has(name) and one.further_action(marks[name]) is not Action.NONE
    ]
    left = {name: home for name, home in gone.items() if shard.has(name) or selection.tags}
    applied = _read_applied({one.recorded_as: one.states for one in touched} | left)
    for one in touched:  # another process may have written since the summaries were read: the newer ones count
        marks.pop(one.connection.name)
        if one.recorded_as in applied:
            marks[one.connection.name] = applied[one.recorded_as].mark
    tags: dict[str, Sequence[str]] = {name: entry.tags for name, entry in manifest.declared.items()}
    tags |= {name: _tags(applied.get(name)) for name in sorted(gone) if name in applied or name not in left}
    removed = [name for name in select(tags, selection) if name in gone]
    whole = [_step(name, one.action(marks.get(name)), marks.get(name), one.digest) for name, one in declared.items()]
    whole += [_step(name, Action.REMOVE, kept[gone[name]][name], "") for name in removed]
    remarks = dict(probable_renames(whole)) | {one.old: one.problem for one in renames if one.problem}
    changes = [
        change_of_declared(one, marks.get(name), applied.get(one.recorded_as), grants[one.states].get(one.recorded_as))
        for name, one in declared.items()
        if shard.has(name)
    ]
    changes += [
        change_of_removed(applied[name], gone[name], remarks.get(name, ""), grants[gone[name]].get(name))
        for name in removed
        if shard.has(name)
    ]
    changes = [
        change._replace(ending=_spec_when_granted(change, manifest, states))
        for change in _with_renames(renames, changes)
    ]
    plan = Plan(tuple(changes), whole)
    return plan._replace(known=production_secrets(states)) if plan.pending else plan


def _require_present_names(selection: Selection, manifest: Manifest, gone: Mapping[str, StateTable]) -> None:
    """Require that a selection uses no old name of a renamed connection.

    Raises:
        UnknownConnection: it does, and the old name is no removal.
    """
    for name in selection.names:
        if name in manifest.moved and name not in gone:
            message = (
                f"no connection matches `{name}`: `moved:` says that it is `{manifest.moved[name]}` now; name that"
            )
            raise UnknownConnection(message)


def _with_renames(renames: Sequence[Rename], changes: Sequence[Change]) -> Iterator[Change]:
    """Yield changes; a creation that was declared as a rename gets the reason why it can't be one."""
    missed = {one.new: f"{one.old}: {one.problem}" for one in renames if one.problem}
    for change in changes:
        why = missed.get(change.name, "") if change.action is Action.CREATE else ""
        yield change._replace(reasons=(*change.reasons, why)) if why else change


def _read_applied(wanted: Mapping[str, StateTable]) -> dict[str, Applied]:
    """Return what was applied of connections, by name; `wanted` has their state tables. Missing records are left out."""
    return {name: applied for home, only in by_table(wanted).items() for name, applied in home.applied(only).items()}


def _tags(applied: Applied | None) -> tuple[str, ...]:
    return tuple(applied.spec["settings"].get("tags", ())) if applied else ()


def _step(name: str, action: Action, mark: RecordSummary | None, after: str) -> Step:
    return [name, str(action), mark.digest if mark else "", after]


def _spec_when_granted(change: Change, manifest: Manifest, states: StateOfRun) -> Mapping[str, Any]:
    """Return the specification with which a change ends a grant, as `Change.ending`; empty if it ends none."""
    then = change.applied.spec if change.applied else {}
    now = change.spec["settings"] if change.spec else {}
    has_grant = [settings.get("auth", {}).get("method") == _OAUTH for settings in (then.get("settings", {}), now)]
    return with_stores(then, manifest.stores, states.folder_path) if has_grant == [True, False] else {}
