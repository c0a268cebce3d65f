"""The verb `plan`: a report of what `apply` would do; with `refresh`, compared with live checks as well.

Layer 3; reads manifests and the state database. Reads secrets and uses the network only with `refresh`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple

from connform.engine.changes.make_plan import make_plan
from connform.engine.changes.plan import Action, Plan, describe_change
from connform.engine.changes.plan_file import plan_file_text
from connform.engine.changes.safety import refusals
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import PlanSummary, Report
from connform.engine.run.absent_manifests import recorded_absent
from connform.engine.run.shard import SINGLE_SHARD, Shard
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import by_table, open_states
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
    progress: Callable[[int, int], None] | None = None,
) -> PlanResult:
    """Return what `apply` would do. Nothing is recorded or locked.

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
        progress: called with the number of checks done, and of all.

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
        planned = make_plan(manifest, states, selection, shard)
        if refresh and not simulate:  # in an empty state, nothing is unchanged
            planned = _refresh(planned, manifest, state, timeout_s, parallelism, progress)
        found = plan_report(planned, validated)
        found = found._replace(simulated=simulate, elapsed_s=perf_counter() - started)
        return PlanResult(found, planned, selection, shard)


def plan_report(planned: Plan, validated: Report) -> Report:
    """Return the report of a plan."""
    lines = tuple(map(describe_change, planned.changes))
    summary = PlanSummary(planned.digest, refusals(planned))
    return validated._replace(command="plan", connections=lines, connection_count=len(lines), plan=summary)


def _refresh(
    planned: Plan,
    manifest: Manifest,
    state: StateLocation,
    timeout_s: float | None,
    parallelism: int,
    progress: Callable[[int, int], None] | None,
) -> Plan:
    """Return the plan with the differences between live checks of unchanged connections and their applied records."""
    from connform.engine.changes.drift import compare_with_live
    from connform.engine.run.context import run_context
    from connform.engine.run.live_check import check_all

    unchanged = {one.name: one for one in planned.changes if one.action is Action.NONE}
    connections = [one.connection for one in unchanged.values() if one.connection]
    with run_context(manifest, simulate=False, state=state) as context:
        checked = check_all(connections, context, parallelism, timeout_s, progress)
        versions = {connection.name: context.source.versions(connection) for connection in connections}
    tables = by_table({name: one.table for name, one in unchanged.items()})
    records = {name: record for table, names in tables.items() for name, record in table.read(names).items()}
    answers = {one.name: one for one in checked}
    changes = (
        compare_with_live(change, records.get(name), answers[name], versions[name])
        if (name := change.name) in answers
        else change
        for change in planned.changes
    )
    return planned._replace(changes=tuple(changes))
