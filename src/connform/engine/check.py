"""The verb `check`: a live verdict on each selected connection. Layer 3; uses the network, and writes the state database if asked to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from connform.engine.connection_report import ConnectionReport
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report
from connform.engine.run.context import run_context
from connform.engine.run.describe import describe, not_looked_at
from connform.engine.run.garbage import keep_what_exists
from connform.engine.run.many_checks import check_all
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.faults import ExitCode

if TYPE_CHECKING:
    from connform.engine.run.recording import Recording, RoundRecorder
    from connform.engine.run.simulator_process import SimulatorProcess


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
    recording: Recording | None = None,
    processes: int | None = 1,
    simulator: SimulatorProcess | None = None,
) -> Report:
    """Check the selected connections live, many at once. If one fails, the others are still checked.

    An interruption (`KeyboardInterrupt`) ends the run early: the report holds the verdicts that were found, and these are recorded.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        simulate: use the embedded simulator and synthetic secrets.
        parallelism: how many at once; more than 100 gains nothing.
        timeout_s: the limit of each check; default: 10 s, or the connection's `total_s` where that is less.
        progress: is told what the run waits for.
        state: where grants are stored, and checks are recorded.
        recording: by whom and for how long the verdicts are recorded; `None`, they are not. A simulation can't be recorded.
        processes: how many share the checks; `None` for one for each core, from 200 connections on, where a fork is safe. Those of a
            simulation have one.
        simulator: that of `simulate`, if it runs in another process already.

    Raises:
        UnknownConnection: the selection names no connection.
        NoBaseline: the Git revision to compare with can't be read.
        ConnectionFailed: `config_invalid` or `store_insecure`, the state can't be where it is said to be. What fails later, when results
            are recorded, is in `Report.unrecorded`.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies)
    if manifest is None:
        return validated._replace(command="check", simulated=simulate)
    chosen = list(manifest.values())
    done: dict[str, ConnectionReport] = {}
    interruption, recorded = None, None
    keep_what_exists()
    with _recorder(recording, state, validated.files) as recorder:
        try:
            with run_context(manifest, simulate=simulate, state=state, simulator=simulator) as context:
                on_result = partial(recorder.add, source=context.source) if recorder else None
                sharing = 1 if simulate else processes  # the other core is the simulator's
                check_all(chosen, context, parallelism, timeout_s, progress, done, on_result, sharing)
        except KeyboardInterrupt:
            interruption = ExitCode.INTERRUPTED
        if recorder:
            try:
                recorded = recorder.write()
            except KeyboardInterrupt:
                interruption = ExitCode.INTERRUPTED
                recorded = recorder.write()  # what was recorded already stays as it is
    histories = recorded.histories if recorded else {}
    lines = [done.get(one.name) or not_looked_at(describe(one)) for one in chosen]
    return validated._replace(
        command="check",
        connections=tuple([line._replace(checks=histories.get(line.name)) for line in lines]),
        connection_count=len(chosen),
        unrecorded=recorded.failures if recorded else (),
        interruption=interruption,
        simulated=simulate,
        elapsed_s=perf_counter() - started,
    )


@contextmanager
def _recorder(
    recording: Recording | None, state: StateLocation, files: Sequence[str]
) -> Iterator[RoundRecorder | None]:
    """Yield what takes the results of the run; `None` where nothing is recorded."""
    if recording is None:
        yield None
        return
    from connform.engine.run.recording import RoundRecorder

    with closing(RoundRecorder(state, files, recording)) as recorder:
        yield recorder
