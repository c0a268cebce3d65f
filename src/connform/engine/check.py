"""The verb `check`: a live verdict on each selected connection. Layer 3; uses the network."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import ConnectionReport, Report
from connform.engine.run.context import run_context
from connform.engine.run.describe import describe, not_looked_at
from connform.engine.run.live_check import check_all
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.faults import ExitCode


def check(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    simulate: bool = False,
    parallelism: int = 100,
    timeout_s: float | None = None,
    progress: Progress = SILENT,
    state: StateLocation = DEFAULT,
) -> Report:
    """Check the selected connections live, many at once. If one fails, the others are still checked. Nothing is recorded.

    An interruption (`KeyboardInterrupt`) ends the run early, and the report holds the verdicts that were found.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        simulate: use the embedded simulator and synthetic secrets.
        parallelism: how many at once; more than 100 gains nothing on one core.
        timeout_s: the limit of each check; default: 10 s, or the connection's `total_s` where that is less.
        progress: is told what the run waits for.
        state: where grants are stored.

    Raises:
        UnknownConnection: the selection names no connection.
        NoBaseline: the Git revision to compare with can't be read.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies)
    if manifest is None:
        return validated._replace(command="check", simulated=simulate)
    chosen = list(manifest.values())
    done: dict[str, ConnectionReport] = {}
    interruption = None
    try:
        with run_context(manifest, simulate=simulate, state=state) as context:
            check_all(chosen, context, parallelism, timeout_s, progress, done)
    except KeyboardInterrupt:
        interruption = ExitCode.INTERRUPTED
    return validated._replace(
        command="check",
        connections=tuple([done.get(one.name) or not_looked_at(describe(one)) for one in chosen]),
        connection_count=len(chosen),
        interruption=interruption,
        simulated=simulate,
        elapsed_s=perf_counter() - started,
    )
