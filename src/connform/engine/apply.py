"""Turns a plan into ready connections and recorded state: resolve, check, record, one by one, many at once.

Layer 3; uses the network, and writes the recorded state. What is reported as done has been recorded.
"""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Final

from connform.engine.changes.approval import Approval, require_approval
from connform.engine.changes.attempts import record_of_attempt, record_of_failed_removal
from connform.engine.changes.group_commit import GroupCommit
from connform.engine.changes.living_grants import leaves_grant
from connform.engine.changes.make_plan import make_plan
from connform.engine.changes.plan import Plan, describe_change
from connform.engine.changes.production import records_to_keep
from connform.engine.changes.removal import GrantRemover, manifest_folder
from connform.engine.changes.rename_records import rename_records
from connform.engine.changes.renames import old_names
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.plan import report
from connform.engine.report import PlanSummary, Remark
from connform.engine.run.concurrency import map_concurrently, run_coroutine
from connform.engine.run.context import run_context
from connform.engine.run.live_check import check_connection, with_failure
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.engine.run.states import SINGLE_SHARD, Shard, StateOfRun
from connform.errors import ConnectionFailed, Refused
from connform.faults import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from connform.database.state_table import StateChanges, StateTable
    from connform.engine.changes.plan import Change
    from connform.engine.report import ConnectionReport, Report
    from connform.engine.run.context import RunContext
    from connform.manifest.decode import Manifest
    from connform.recorded import Actor, Applied

LOCK_S: Final = 60.0
"""How long to wait for another run by default."""


def apply(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    by: Actor,
    consent: Approval = Approval(),  # noqa: B008  (immutable)
    shard: Shard = SINGLE_SHARD,
    simulate: bool = False,
    parallelism: int = 100,
    timeout_s: float | None = None,
    lock_timeout_s: float = LOCK_S,
    progress: Callable[[int, int], None] | None = None,
    state: StateLocation = DEFAULT,
) -> Report:
    """Carry out what is to be done about the selected connections; none hides another.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        by: who does it.
        consent: what was agreed on.
        shard: which part of the connections.
        simulate: against the embedded simulator, with synthetic secrets and an empty state that isn't kept.
        parallelism: how many at once.
        timeout_s: the limit of each check; default: 10 s, or the connection's `total_s` where that is less.
        lock_timeout_s: how long to wait for another run.
        progress: is told how many are done, of how many.
        state: where state and grants are kept.

    Raises:
        UnknownConnection: the selection names none.
        NoBaseline: the selection compares with what can't be read.
        Refused: the plan isn't what was agreed on, a safety rule says no, or a person does.
        ConnectionFailed: a fault of the store, before anything was done.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies, may_miss=True)
    if manifest is None:
        return validated._replace(command="apply", simulated=simulate)
    with (
        _state_of_run(state, validated, simulate=simulate) as states,
        _held(states, manifest, shard, lock_timeout_s) as (held, also),
    ):
        plan = make_plan(manifest, states, selection, shard)
        if consent.saved is not None:
            plan = _again(plan, consent.saved.live)
        _require_held(plan, shard, also)
        require_approval(plan, consent, shard, partial(report, plan, validated))
        with (
            run_context(manifest, simulate=simulate, state=state) as context,
            closing(GrantRemover(manifest, context, force=consent.force)) as endings,
        ):
            shared = validated.files if state.url else ()  # else a state has one folder, and knows it
            endings.require_own_servers(_records_of_ending_grants(plan, states, shared))
            unmoved = rename_records(plan.changes, held, state, manifest.stores)
            context.source.prepare(one.connection for one in plan.pending if one.connection and not one.is_only_moved)
            journals = {home: GroupCommit(changes) for home, changes in held.items()}
            work = _Apply(context, endings, states, journals, unmoved, shared, by, timeout_s)
            done = run_coroutine(map_concurrently(plan.pending, work.carry_out, parallelism, progress))
    lines = {one.name: one for one in done}
    connections = tuple(
        lines.get(change.name) or describe_change(change)._replace(verdict=Verdict.SKIPPED) for change in plan.changes
    )
    return validated._replace(
        command="apply",
        connections=connections,
        connection_count=len(connections),
        simulated=simulate,
        elapsed_s=perf_counter() - started,
        plan=PlanSummary(plan.digest, ()),
    )


@contextmanager
def _state_of_run(state: StateLocation, validated: Report, *, simulate: bool) -> Iterator[StateOfRun]:
    """Yield the recorded state; that of a simulation is empty and ends with it: facts come from real servers."""
    with TemporaryDirectory(prefix="connform-") as folder:
        states = StateOfRun(StateLocation(f"sqlite:///{folder}") if simulate else state, validated.files)
        try:
            yield states
        finally:
            states.close()


@contextmanager
def _held(
    states: StateOfRun, manifest: Manifest, shard: Shard, timeout_s: float
) -> Iterator[tuple[Mapping[StateTable, StateChanges], set[str]]]:
    """Hold the parts of a shard, and those of the old names from which its connections are to be moved; yield these names too."""
    also = set() if shard == SINGLE_SHARD else old_names(manifest.moved, states, shard)
    with states.locked(shard, timeout_s, also) as held:
        yield held, also


def _require_held(plan: Plan, shard: Shard, also: set[str]) -> None:
    """Let a plan pass whose old names are held.

    Raises:
        Refused: one came into the state while this run waited for the others.
    """
    for change in plan.changes:
        if change.moved_from and not (shard.has(change.moved_from) or change.moved_from in also):
            message = f"{change.moved_from} came into the state while this run waited for others: run it again"
            raise Refused(message)


def _again(plan: Plan, live: frozenset[str]) -> Plan:
    """Return the plan with the connections that a refresh found to be otherwise: they are to be applied again."""
    why = ("the live side answered otherwise when this was planned",)
    changes = (change._replace(live=why) if change.name in live else change for change in plan.changes)
    return plan._replace(changes=tuple(changes))


def _records_of_ending_grants(plan: Plan, states: StateOfRun, shared: Sequence[str]) -> Iterator[tuple[Applied, Path]]:
    """Yield what was applied of connections whose grants end, with the folders of their manifests."""
    for change in plan.pending:
        applied = change.applied
        if applied is not None and (change.connection is None or leaves_grant(applied, change.connection)):
            yield applied, _folder(change, applied, states, shared)


def _folder(change: Change, applied: Applied, states: StateOfRun, shared: Sequence[str]) -> Path:
    return manifest_folder(applied, states, shared) or states.folder_of(change.table)


class _Apply:
    """Carries out one change after another."""

    def __init__(
        self,
        context: RunContext,
        endings: GrantRemover,
        states: StateOfRun,
        journals: Mapping[StateTable, GroupCommit],
        unmoved: Mapping[str, ConnectionFailed],
        shared: Sequence[str],
        by: Actor,
        timeout_s: float | None,
    ) -> None:
        self._context = context
        self._endings = endings
        self._states = states
        self._journals = journals
        self._unmoved = unmoved
        self._shared = shared
        self._by = by
        self._timeout_s = timeout_s

    async def carry_out(self, change: Change) -> ConnectionReport:
        """Return what came of one change; it has been recorded."""
        line = describe_change(change)
        journal = self._journals[change.table]
        if change.name in self._unmoved:
            return with_failure(line, self._unmoved[change.name])
        if change.is_only_moved and not change.live:
            return line._replace(verdict=Verdict.READY)
        try:
            journal.require_working()
            if change.connection is None:
                return await self._remove(change, line, journal)
            checked = await check_connection(change.connection, self._context, self._timeout_s)
            versions = self._context.source.versions(change.connection)
            if checked.verdict is Verdict.READY and leaves_grant(change.applied, change.connection):
                checked = await self._without_grant(change, checked)
            file = self._states.manifest_path(change.connection.span.file)
            record = record_of_attempt(change, checked, versions, file, self._by)
            await journal.write(record, records_to_keep(change.applied, record.spec))
            told = ("action", "changes", "reasons", "sends", "moved_from", "revokes")
            return checked._replace(**{name: getattr(line, name) for name in told})
        except ConnectionFailed as failure:
            return with_failure(line, failure)

    async def _remove(self, change: Change, line: ConnectionReport, journal: GroupCommit) -> ConnectionReport:
        assert change.applied is not None  # noqa: S101  (what isn't declared is recorded)
        line = await self._without_grant(change, line._replace(verdict=Verdict.READY))
        is_removed = line.verdict is Verdict.READY
        entry = change.name if is_removed else record_of_failed_removal(change.applied, line, self._by)
        await journal.write(entry, records_to_keep(change.applied, {}) if is_removed else ())
        return line

    async def _without_grant(self, change: Change, line: ConnectionReport) -> ConnectionReport:
        """End the grant of what was applied; return the line with what became of it."""
        assert change.applied is not None  # noqa: S101  (what was applied is recorded)
        folder = _folder(change, change.applied, self._states, self._shared)
        try:
            ending = await asyncio.to_thread(self._endings.end, change.applied, folder)
        except ConnectionFailed as failure:
            return with_failure(line, failure)
        if ending.is_lost:
            return line._replace(warnings=(*line.warnings, Remark("grant-not-revoked", ending.message)))
        return line._replace(message=ending.message)
