"""The verb `check`: a live verdict on each selected connection. Layer 3; uses the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report
from connform.engine.run.context import run_context
from connform.engine.run.live_check import check_all
from connform.engine.run.state_location import DEFAULT, StateLocation


def check(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    simulate: bool = False,
    parallelism: int = 100,
    timeout_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    state: StateLocation = DEFAULT,
) -> Report:
    """Check the selected connections live, many at once. If one fails, the others are still checked. Nothing is recorded.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        simulate: use the embedded simulator and synthetic secrets.
        parallelism: how many at once; more than 100 gains nothing on one core.
        timeout_s: the limit of each check; default: 10 s, or the connection's `total_s` where that is less.
        progress: called with the number of checks done, and of all.
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
    with run_context(manifest, simulate=simulate, state=state) as context:
        reports = check_all(chosen, context, parallelism, timeout_s, progress)
    return validated._replace(
        command="check",
        connections=tuple(reports),
        connection_count=len(reports),
        simulated=simulate,
        elapsed_s=perf_counter() - started,
    )
