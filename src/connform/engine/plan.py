"""The verb `plan`: a report of what `apply` would do; with `refresh`, compared with live checks as well.

Layer 3; reads manifests and the state database. Reads secrets and uses the network only with `refresh`.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from connform.engine.changes.make_plan import make_plan
from connform.engine.changes.plan import Action, Plan, describe_change
from connform.engine.changes.safety import refusals
from connform.engine.connection_report import ConnectionReport
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report
from connform.engine.report_parts import PlanSummary
from connform.engine.run.absent_manifests import recorded_absent
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.shard import SINGLE_SHARD, Shard
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun, by_table, open_states
from connform.faults import ExitCode
from connform.manifest.decode import Manifest


class PlanResult(NamedTuple):
    """The result of `plan`."""

    report: Report
    """The report of the plan."""
    plan: Plan | None = None
    """The plan; `None` if the manifest has errors."""
    selection: Selection = EVERYTHING
    """The connections of the plan."""
    shard: Shard = SINGLE_SHARD
    """The part of them that was planned."""

    @property
    def saved(self) -> str:
        """The content of the plan file; empty if there is no plan."""
        from connform.engine.changes.plan_file import plan_file_text  # few plans are saved

        return plan_file_text(self.plan, self.selection, self.shard) if self.plan else ""


def plan(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    state: StateLocation,
    shard: Shard = SINGLE_SHARD,
    refresh: bool = False,
    simulate: bool = False,
    timeout_s: float | None = None,
    parallelism: int = 100,
    progress: Progress = SILENT,
    lists_unchanged: bool = True,
    is_brief: bool = False,
) -> PlanResult:
    """Return what `apply` would do. Nothing is recorded or locked.

    An interruption (`KeyboardInterrupt`) of the live checks ends them, and the report holds the verdicts that were found.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        state: where applied records are stored.
        shard: which part of the connections.
        refresh: check unchanged connections live as well; needs secrets and the network.
        simulate: plan for an empty state, as `apply` with `simulate` does.
        timeout_s: the limit of each check.
        parallelism: how many at once.
        progress: is told what the run waits for.
        lists_unchanged: whether the report lists connections with nothing to do, of which no live check tells anything.
        is_brief: whether the report has the changes themselves in place of their connections, for the format `text`.

    Raises:
        UnknownConnection: the selection names a connection that is neither declared nor recorded.
        NoBaseline: the Git revision to compare with can't be read.
        ConnectionFailed: a fault of the state database.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies, may_miss=True)
    absent = [] if simulate else recorded_absent(state, files, validated)
    if absent:
        manifest, validated = read_manifest(files, selection, policies, may_miss=True, absent=absent)
    if manifest is None:
        return PlanResult(validated._replace(command="plan", simulated=simulate))
    with open_states(state, validated.files, absent, simulate=simulate) as states:
        progress.begin("reading the state")
        planned, interruption = make_plan(manifest, states, selection, shard), None
        if refresh and not simulate:  # in an empty state, nothing is unchanged
            planned, interruption = _refresh(planned, manifest, state, timeout_s, parallelism, progress)
        note = "" if simulate else note_of(states)
        found = plan_report(planned, validated, note, lists_unchanged=lists_unchanged, is_brief=is_brief)
        found = found._replace(interruption=interruption, simulated=simulate, elapsed_s=perf_counter() - started)
        return PlanResult(found, planned, selection, shard)


def note_of(states: StateOfRun) -> str:
    """Return a sentence on the state that a plan compares with; empty if there is nothing to say."""
    missing = states.missing_note()
    return f"{missing}: every connection is new" if missing else states.copied_note()


def plan_report(
    planned: Plan, validated: Report, note: str, *, lists_unchanged: bool = True, is_brief: bool = False
) -> Report:
    """Return the report of a plan; the note is that of `note_of`, the last arguments as for `plan`."""
    changes, count = planned.changes, len(planned.changes)
    listed = changes if lists_unchanged else [one for one in changes if one.is_pending or one.live_report]
    brief = tuple(planned.pending) if is_brief else ()
    return validated._replace(
        command="plan",
        connections=tuple([describe_change(one) for one in listed if not (brief and one.is_pending)]),
        connection_count=count,
        plan=PlanSummary(planned.digest, refusals(planned), unlisted=count - len(listed), changes=brief),
        note=note,
    )


def _refresh(
    planned: Plan,
    manifest: Manifest,
    state: StateLocation,
    timeout_s: float | None,
    parallelism: int,
    progress: Progress,
) -> tuple[Plan, ExitCode | None]:
    """Return the plan with the differences between live checks of unchanged connections and their applied records.

    After an interruption the second value isn't `None`, and connections that were not looked at have a `live_report` that says so.
    """
    from connform.engine.changes.drift import compare_with_live
    from connform.engine.run.context import run_context
    from connform.engine.run.describe import describe, not_looked_at
    from connform.engine.run.many_checks import check_all

    unchanged = {one.name: one for one in planned.changes if one.action is Action.NONE}
    connections = [one.connection for one in unchanged.values() if one.connection]
    answers: dict[str, ConnectionReport] = {}
    interruption = None
    with run_context(manifest, simulate=False, state=state) as context:
        try:
            check_all(connections, context, parallelism, timeout_s, progress, answers)
        except KeyboardInterrupt:
            interruption = ExitCode.INTERRUPTED
        versions = {connection.name: context.source.versions(connection) for connection in connections}
    skipped = {one.name: not_looked_at(describe(one)) for one in connections if one.name not in answers}
    tables = by_table({name: one.table for name, one in unchanged.items()})
    records = {name: record for table, names in tables.items() for name, record in table.read(names).items()}
    changes = (
        compare_with_live(change, records.get(name), answers[name], versions[name])
        if (name := change.name) in answers
        else change._replace(live_report=skipped.get(name))
        for change in planned.changes
    )
    return planned._replace(changes=tuple(changes)), interruption
