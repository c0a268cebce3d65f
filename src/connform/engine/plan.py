"""Turns manifests and recorded state into a report of what `apply` would do; with `refresh`, the live side has a say.

Layer 3; reads manifests and recorded state. Uses secrets and the network with `refresh` alone.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from connform.engine.changes.make_plan import make_plan
from connform.engine.changes.plan import Action, describe_change
from connform.engine.changes.plan_file import plan_file_text
from connform.engine.changes.safety import refusals
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import PlanSummary
from connform.engine.run.states import SINGLE_SHARD, Shard, StateOfRun, by_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connform.engine.changes.plan import Plan
    from connform.engine.report import Report
    from connform.engine.run.state_location import StateLocation
    from connform.manifest.decode import Manifest


class PlanResult(NamedTuple):
    """What `plan` found."""

    report: Report
    """For people and CI."""
    plan: Plan | None = None
    """The plan; `None` where the manifest has errors."""
    selection: Selection = EVERYTHING
    """Which connections it is about."""
    shard: Shard = SINGLE_SHARD
    """Which part of them."""

    @property
    def saved(self) -> str:
        """The plan as a file; empty where there is none."""
        return plan_file_text(self.plan, self.selection, self.shard) if self.plan else ""


def plan(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    state: StateLocation,
    shard: Shard = SINGLE_SHARD,
    refresh: bool = False,
    timeout_s: float | None = None,
    parallelism: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> PlanResult:
    """Return what `apply` would do. Records nothing and locks nothing.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        state: where state is kept.
        shard: which part of the connections.
        refresh: look at the live side of what is applied as well: needs secrets and the network.
        timeout_s: the limit of each look.
        parallelism: how many at once.
        progress: is told how many are done, of how many.

    Raises:
        UnknownConnection: the selection names a connection that is neither declared nor recorded.
        NoBaseline: the selection compares with what can't be read.
        ConnectionFailed: a fault of the store.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies, may_miss=True)
    if manifest is None:
        return PlanResult(validated._replace(command="plan"))
    states = StateOfRun(state, validated.files)
    try:
        drawn = make_plan(manifest, states, selection, shard)
        if refresh:
            drawn = _refreshed(drawn, manifest, state, timeout_s, parallelism, progress)
        found = report(drawn, validated)
        return PlanResult(found._replace(elapsed_s=perf_counter() - started), drawn, selection, shard)
    finally:
        states.close()


def report(drawn: Plan, validated: Report) -> Report:
    """Return a plan as a report."""
    lines = tuple(map(describe_change, drawn.changes))
    summary = PlanSummary(drawn.digest, refusals(drawn))
    return validated._replace(command="plan", connections=lines, connection_count=len(lines), plan=summary)


def _refreshed(
    drawn: Plan,
    manifest: Manifest,
    state: StateLocation,
    timeout_s: float | None,
    parallelism: int,
    progress: Callable[[int, int], None] | None,
) -> Plan:
    """Return the plan with what the live side of unchanged connections says otherwise than recorded."""
    from connform.engine.changes.drift import compare_with_live
    from connform.engine.run.context import run_context
    from connform.engine.run.live_check import check_all

    still = {one.name: one for one in drawn.changes if one.action is Action.NONE}
    connections = [one.connection for one in still.values() if one.connection]
    with run_context(manifest, simulate=False, state=state) as context:
        seen = check_all(connections, context, parallelism, timeout_s, progress)
        versions = {connection.name: context.source.versions(connection) for connection in connections}
    homes = by_table({name: one.table for name, one in still.items()})
    records = {name: record for home, names in homes.items() for name, record in home.read(names).items()}
    answers = {one.name: one for one in seen}
    changes = (
        compare_with_live(change, records.get(name), answers[name], versions[name])
        if (name := change.name) in answers
        else change
        for change in drawn.changes
    )
    return drawn._replace(changes=tuple(changes))
