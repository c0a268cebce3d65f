"""Making of a plan: compares the manifests of a run with the recorded state. Needs no secret and no network.

Layer 3; reads the recorded state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connform.database.state_table import StateTable
from connform.engine.changes.compare import declared_change, declared_connection, removal_change
from connform.engine.changes.definition_part import recorded_definition
from connform.engine.changes.living_grants import probable_renames
from connform.engine.changes.plan import Action, Change, Plan, Step
from connform.engine.changes.production import production_secrets
from connform.engine.changes.renames import Rename, find_renames
from connform.engine.changes.specification import StorePart, is_harmless, store_parts, with_stores
from connform.engine.load.catalog import uses_grant
from connform.engine.load.selection import Selection, select
from connform.engine.run.shard import SINGLE_SHARD, Shard
from connform.engine.run.states import StateOfRun, by_table
from connform.errors import UnknownConnection
from connform.manifest.decode import Manifest
from connform.recorded import Applied, RecordSummary


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
    stores = store_parts(manifest.stores, states.paths.of_folder)
    declared = {name: declared_connection(connection, stores, states) for name, connection in manifest.items()}
    summaries_by_table = {table: table.summaries() for table in states.tables}
    grants_by_table = {table: table.grants() for table in states.tables}
    declared_tables = {name: one.table for name, one in declared.items()}
    renames = list(find_renames(manifest.moved, declared_tables, summaries_by_table, grants_by_table, states))
    declared |= {
        rename.new: declared[rename.new]._replace(moved_from=rename.old)
        for rename in renames
        if rename.new in declared and not rename.problem
    }
    summaries = {
        name: summary
        for name, one in declared.items()
        if (summary := summaries_by_table[one.table].get(one.recorded_as))
    }
    undeclared = _undeclared(manifest, states, renames, summaries_by_table)
    _require_present_names(selection, manifest, undeclared)
    changed = [
        one for name, one in declared.items() if name in summaries and one.action(summaries[name]) is not Action.NONE
    ]
    undeclared_here = {name: table for name, table in undeclared.items() if shard.has(name) or selection.tags}
    applied = _read_applied({one.recorded_as: one.table for one in changed} | undeclared_here)
    for one in changed:  # another process may have written since the summaries were read: the newer ones count
        summaries.pop(one.connection.name)
        if one.recorded_as in applied:
            summaries[one.connection.name] = applied[one.recorded_as].summary
            declared[one.connection.name] = one.compared_with(applied[one.recorded_as])
    tags: dict[str, Sequence[str]] = {}
    if selection.has_patterns:
        tags |= {name: entry.tags for name, entry in manifest.declared.items()}
    tags |= {
        name: _tags(applied.get(name)) for name in sorted(undeclared) if name in applied or name not in undeclared_here
    }
    removed = [name for name in select(tags, selection) if name in undeclared]
    every = []
    for name, one in declared.items():
        recorded_as = one.recorded_as
        grant = grants_by_table[one.table].get(recorded_as)
        every.append(declared_change(one, summaries.get(name), applied.get(recorded_as), grant))
    all_steps = list(map(_short_step, every))
    all_steps += [[name, str(Action.REMOVE), summaries_by_table[undeclared[name]][name].digest, ""] for name in removed]
    remarks = dict(probable_renames(all_steps)) | {rename.old: rename.problem for rename in renames if rename.problem}
    changes = [change for change in every if shard.has(change.name)]
    changes += [
        removal_change(
            applied[name], undeclared[name], remarks.get(name, ""), grants_by_table[undeclared[name]].get(name)
        )
        for name in removed
        if shard.has(name)
    ]
    changes = [
        _with_revocation(change, stores) if change.applied else change
        for change in _with_rename_problems(renames, changes)
    ]
    plan = Plan(tuple(changes), all_steps, states.paths.files, is_by_name=states.paths.is_by_name)
    if not plan.pending:
        return plan
    return plan._replace(production_secrets=production_secrets(states), other_repository=states.other_repository())


def _undeclared(
    manifest: Manifest,
    states: StateOfRun,
    renames: Sequence[Rename],
    summaries_by_table: Mapping[StateTable, Mapping[str, RecordSummary]],
) -> dict[str, StateTable]:
    """Return the recorded names that no manifest declares, and that were not renamed, with their state tables."""
    known_names = manifest.declared.keys() | {rename.old for rename in renames if not rename.problem}
    return {
        name: table
        for table, found in summaries_by_table.items()
        for name in states.undeclared({name: found[name] for name in found.keys() - known_names}, manifest.searched)
    }


def _require_present_names(selection: Selection, manifest: Manifest, undeclared: Mapping[str, StateTable]) -> None:
    """Require that a selection uses no old name of a renamed connection.

    Raises:
        UnknownConnection: it does, and the old name is no removal.
    """
    for name in selection.names:
        if name in manifest.moved and name not in undeclared:
            raise UnknownConnection(
                f"no connection matches `{name}`: `moved:` says that it is `{manifest.moved[name]}` now; name that"
            )


def _with_rename_problems(renames: Sequence[Rename], changes: Sequence[Change]) -> Iterator[Change]:
    """Yield changes; a creation that was declared as a rename gets the reason why it can't be one."""
    problems = {rename.new: f"{rename.old}: {rename.problem}" for rename in renames if rename.problem}
    for change in changes:
        problem = problems.get(change.name, "") if change.action is Action.CREATE else ""
        yield change._replace(reasons=(*change.reasons, problem)) if problem else change


def _read_applied(tables: Mapping[str, StateTable]) -> dict[str, Applied]:
    """Return what was applied of connections, by name, from their state tables. Missing records are left out."""
    return {
        name: applied for table, names in by_table(tables).items() for name, applied in table.applied(names).items()
    }


def _tags(applied: Applied | None) -> tuple[str, ...]:
    return tuple(applied.spec["settings"].get("tags", ())) if applied else ()


def _short_step(change: Change) -> Step:
    is_alike = change.fields and is_harmless([field.pointer for field in change.fields])
    after = change.before if is_alike else change.after
    return [change.name, change.action.value, change.before, after]


def _with_revocation(change: Change, stores: Mapping[str, StorePart]) -> Change:
    """Return a change that ends a grant with its `revocation_spec`, and another one as it is; `stores` as for `specify`."""
    applied = change.applied.spec if change.applied else {}
    if not _has_grant(applied) or _has_grant(change.spec):
        return change
    return change._replace(revocation_spec=with_stores(applied, stores))


def _has_grant(spec: Mapping[str, Any]) -> bool:
    return bool(spec) and uses_grant(spec["settings"], recorded_definition(spec))
