"""The verb `apply`: makes a plan, checks each connection that it changes, and records the result.

Layer 3; uses the network, and writes the state database. A change is reported as done after it has been recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from connform.database.state_changes import StateChanges
from connform.database.state_table import StateTable
from connform.engine.changes.approval import Approval, require_approval
from connform.engine.changes.change_applier import ChangeApplier
from connform.engine.changes.group_commit import GroupCommit
from connform.engine.changes.living_grants import leaves_grant
from connform.engine.changes.make_plan import make_plan
from connform.engine.changes.plan import Change, Plan, describe_change, with_plan
from connform.engine.changes.removal import GrantRemover, recorded_folder
from connform.engine.changes.rename_records import rename_records
from connform.engine.changes.renames import old_names
from connform.engine.connection_report import ConnectionReport
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.plan import note_of, plan_report
from connform.engine.report import Report
from connform.engine.report_parts import PlanSummary
from connform.engine.run.absent_manifests import recorded_absent
from connform.engine.run.concurrency import for_each, run_coroutine
from connform.engine.run.context import run_context
from connform.engine.run.describe import not_looked_at
from connform.engine.run.garbage import keep_what_exists
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.shard import SINGLE_SHARD, Shard
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.engine.run.states import StateOfRun, by_table, open_states
from connform.errors import ConnectionFailed, Refused
from connform.faults import ExitCode, Verdict
from connform.manifest.decode import Manifest
from connform.recorded import Actor, Applied

if TYPE_CHECKING:
    from connform.engine.run.simulator_process import SimulatorProcess

LOCK_S = 60.0
"""How long to wait for another run of `apply` by default."""


def apply(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    by: Actor,
    approval: Approval = Approval(),  # noqa: B008  (immutable)
    shard: Shard = SINGLE_SHARD,
    simulate: bool = False,
    simulator: SimulatorProcess | None = None,
    parallelism: int = 100,
    timeout_s: float | None = None,
    lock_timeout_s: float = LOCK_S,
    progress: Progress = SILENT,
    state: StateLocation = DEFAULT,
) -> Report:
    """Make a plan for the selected connections, and carry it out. If one connection fails, the others go on.

    An interruption (`KeyboardInterrupt`) of what the plan says ends it early: checks are cut off, results of checks are recorded,
    and removals that have begun come to their end. The report holds what was done.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        by: the person or CI job that applies.
        approval: what people have confirmed: a plan file, a digest, or `force`.
        shard: which part of the connections.
        simulate: use the embedded simulator, synthetic secrets and an empty state that is deleted afterwards.
        simulator: that of `simulate`, if it runs in another process already.
        parallelism: how many at once.
        timeout_s: the limit of each check; default: 10 s, or the connection's `total_s` where that is less.
        lock_timeout_s: how long to wait for another run.
        progress: is told what the run waits for.
        state: where applied records and grants are stored.

    Raises:
        UnknownConnection: the selection names no connection.
        NoBaseline: the Git revision to compare with can't be read.
        Refused: the plan isn't the approved one, or a safety rule or a person refuses it.
        ConnectionFailed: a fault of the state database, before anything was done.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies, may_miss=True)
    absent = [] if simulate else recorded_absent(state, files, validated)
    if absent:
        manifest, validated = read_manifest(files, selection, policies, may_miss=True, absent=absent)
    if manifest is None:
        return validated._replace(command="apply", simulated=simulate)
    progress.begin("waiting for the lock of the state")
    with (
        run_context(manifest, simulate=simulate, state=state, simulator=simulator) as context,
        open_states(state, validated.files, absent, simulate=simulate) as states,
        _lock_parts(states, manifest, shard, lock_timeout_s) as (changes_by_table, moved_names),
    ):
        progress.begin("reading the state")
        plan = make_plan(manifest, states, selection, shard)
        if approval.saved is not None:
            plan = _add_live_differences(plan, approval.saved.live)
        _require_locked(plan, shard, moved_names)
        require_approval(plan, approval, shard, lambda: plan_report(plan, validated, note_of(states)))
        plan = plan._replace(all_steps=())  # which only the approval needs
        group_commits = _group_commits(plan, changes_by_table, (*states.paths.files, str(by)))
        _record_repository(plan, states, changes_by_table)
        with closing(GrantRemover(manifest, context, force=approval.force)) as remover:
            shared_files = validated.files if state.url else ()  # otherwise each state table belongs to one folder
            remover.require_own_servers(_records_of_ending_grants(plan, states, shared_files))
            rename_failures = rename_records(plan.changes, changes_by_table, state, manifest.stores)
            applier = ChangeApplier(
                context, remover, states, group_commits, rename_failures, shared_files, by, timeout_s
            )
            done = {one.name: applier.renamed(one) for one in plan.pending if one.is_only_moved and not one.live}
            to_do = [one for one in plan.pending if one.name not in done]
            interruption = None
            try:
                context.source.prepare([one.connection for one in to_do if one.connection], progress)
                progress.begin("applying", len(to_do))
                keep_what_exists()
                run_coroutine(for_each(to_do, applier.apply, parallelism, progress, done))
            except KeyboardInterrupt:
                interruption = ExitCode.INTERRUPTED
    report = _report(validated, plan, done)
    return report._replace(interruption=interruption, simulated=simulate, elapsed_s=perf_counter() - started)


@contextmanager
def _lock_parts(
    states: StateOfRun, manifest: Manifest, shard: Shard, timeout_s: float
) -> Iterator[tuple[Mapping[StateTable, StateChanges], set[str]]]:
    """Lock the parts of a shard and of the old names of its renamed connections; yield the right to change them, and these names."""
    moved_names = set() if shard == SINGLE_SHARD else old_names(manifest.moved, states, shard)
    with states.locked(shard, timeout_s, moved_names) as changes_by_table:
        yield changes_by_table, moved_names


def _group_commits(
    plan: Plan, changes_by_table: Mapping[StateTable, StateChanges], texts: Sequence[str]
) -> dict[StateTable, GroupCommit]:
    """Return the group commits of the tables to be changed; one whose table can't be written fails at once.

    Raises:
        ConnectionFailed: none of them can be written.
    """
    found: dict[StateTable, GroupCommit] = {}
    failures: list[ConnectionFailed] = []
    for table, names in by_table({one.name: one.table for one in plan.pending}).items():
        found[table] = GroupCommit(changes_by_table[table])
        try:
            changes_by_table[table].check_writable((one.spec for one in plan.pending if one.name in names), texts)
        except ConnectionFailed as failure:
            failures.append(failure)
            found[table].fail(failure)
    if failures and len(failures) == len(found):
        raise failures[0]
    return found


def _record_repository(plan: Plan, states: StateOfRun, changes_by_table: Mapping[StateTable, StateChanges]) -> None:
    """Record to which repository a database at a URL belongs, if more is known of it now, or `--force` gives it to another one."""
    if plan.pending and states.identity:
        (table,) = states.tables
        recorded = {} if plan.other_repository else table.repository()
        is_known = not recorded or bool(recorded.keys() & states.identity.keys())
        if is_known and not states.identity.keys() <= recorded.keys():
            changes_by_table[table].set_repository({**states.identity, **recorded})


def _require_locked(plan: Plan, shard: Shard, moved_names: set[str]) -> None:
    """Require that the old names of all renamed connections are locked.

    Raises:
        Refused: one was recorded while this run waited for the locks.
    """
    for change in plan.changes:
        if change.moved_from and not (shard.has(change.moved_from) or change.moved_from in moved_names):
            raise Refused(f"{change.moved_from} came into the state while this run waited for others: run it again")


def _add_live_differences(plan: Plan, live: frozenset[str]) -> Plan:
    """Return the plan in which the connections `live` are applied again: `plan --refresh` found them different."""
    why = ("the live side answered otherwise when this was planned",)
    changes = (change._replace(live=why) if change.name in live else change for change in plan.changes)
    return plan._replace(changes=tuple(changes))


def _records_of_ending_grants(
    plan: Plan, states: StateOfRun, shared_files: Sequence[str]
) -> Iterator[tuple[Applied, Path]]:
    """Yield what was applied of each connection whose grant ends, and the folder of its manifest."""
    for change in plan.pending:
        applied = change.applied
        if applied is not None and (change.connection is None or leaves_grant(applied, change.connection)):
            yield applied, recorded_folder(change, applied, states, shared_files)


def _report(validated: Report, plan: Plan, done: dict[str, ConnectionReport]) -> Report:
    """Return the report of `apply`; skipped are connections without a pending change, and those that an interruption left out."""
    connections = tuple(
        [with_plan(done.pop(one.name), one) if one.name in done else _skipped(one) for one in plan.changes]
    )
    return validated._replace(
        command="apply",
        connections=connections,
        connection_count=len(connections),
        plan=PlanSummary(plan.digest, ()),
    )


def _skipped(change: Change) -> ConnectionReport:
    report = describe_change(change)
    return not_looked_at(report) if change.is_pending else report._replace(verdict=Verdict.SKIPPED)
