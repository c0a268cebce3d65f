"""How time and memory grow with the number of connections."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.inputs.manifests import name_of, write_connections
from benchmarks.jobs.plan import record, rehearsal
from benchmarks.jobs.validators import validate
from benchmarks.kit.bench import Bench
from benchmarks.kit.endpoints import certify, check, endpoints
from benchmarks.kit.figures import Figures, shown
from benchmarks.kit.goals import Goal
from benchmarks.kit.measure import Job, find, says
from benchmarks.kit.picture import Panel, drawn

SIZES = (100, 1_000, 10_000)
SMOKE_SIZES = (4, 10, 20)
ROUNDS = {"check": 5, "apply --simulate": 5, "state list": 41}
"""`state list` takes milliseconds more for a thousand rows: only the median of many rounds tells them from noise."""
OTHER_ROUNDS = 11
MOST = 1.1
PICTURE = (
    "![Two panels with logarithmic axes: time, and peak memory, of five commands at 100, 1,000 and 10,000 connections, "
    "as in the table above](growth.svg)"
)
HEAD = "| command | | 100 | 1,000 | 10,000 | one more up to 1,000 | one more up to 10,000 | growth |"


def growth(bench: Bench) -> None:
    """Time and memory at 100, 1,000 and 10,000 connections, and what one more connection costs."""
    sizes = SMOKE_SIZES if bench.is_smoke else SIZES
    found: dict[str, list[Figures]] = {}
    with _commands(bench, sizes) as commands:
        for command, jobs in commands.items():
            figures = bench.interleave(jobs, ROUNDS.get(command, OTHER_ROUNDS))
            found[command] = [figures[job.tool] for job in jobs]
    lines = [HEAD, "|---|---|---|---|---|---|---|---|"]
    for command, each in found.items():
        for what, unit, values in (
            ("time", " µs", [one.median_s * 1e6 for one in each]),
            ("memory", " kB", [one.median_mb * 1e3 for one in each]),
        ):
            few, many = more(sizes[:2], values[:2]), more(sizes[1:], values[1:])
            cells = [shown(value / 1e6) if what == "time" else f"{value / 1e3:.0f} MB" for value in values]
            growth_of = many / few if few > 0 else math.inf
            costs = f"{few:.1f}{unit} | {many:.1f}{unit} | {growth_of:.2f}"
            lines.append(f"| {command} | {what} | {' | '.join(cells)} | {costs} |")
            bench.judge(Goal(f"growth of the {what} of `{command}`", MOST, growth_of))
    bench.tell(lines)
    bench.tell([PICTURE])
    seconds = Panel("Time", "s", {command: [one.median_s for one in each] for command, each in found.items()})
    memory = Panel("Peak memory", "MB", {command: [one.median_mb for one in each] for command, each in found.items()})
    bench.picture = drawn(sizes, [seconds, memory])


def more(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Return what each connection costs by which the second size is larger than the first."""
    return (values[1] - values[0]) / (sizes[1] - sizes[0])


@contextmanager
def _commands(bench: Bench, sizes: Sequence[int]) -> Iterator[dict[str, list[Job]]]:
    """Yield the jobs of each command, one for each size, while the endpoints are served that are checked."""
    ca_file = certify(bench)
    files = {size: bench.folder / f"{size}" / "connections.yaml" for size in sizes}
    recorded = {size: bench.folder / f"{size}-recorded" / "connections.yaml" for size in sizes}
    for size in sizes:
        for file in (files[size], recorded[size]):
            file.parent.mkdir()
            write_connections(file, size)
        record(bench, recorded[size])
    with endpoints(bench, sizes[-1]) as ports:
        yield {
            "validate": [validate(files[size], f"^{size} connections", tool=str(size)) for size in sizes],
            "plan": [_plan(files[size], size) for size in sizes],
            "state list": [_state_list(recorded[size], size) for size in sizes],
            "check": [check(ports[:size], ca_file, bench.folder / f"{size}.yaml", str(size)) for size in sizes],
            "apply --simulate": [
                replace(rehearsal(files[size], size, str(size)), is_slow=size > SIZES[1]) for size in sizes
            ],
        }


def _plan(file: Path, size: int) -> Job:
    argv = [find("connform"), "plan", "-f", str(file)]
    return Job(str(size), argv, says(f"{size} connections in 1 file: {size} to create"))


def _state_list(file: Path, size: int) -> Job:
    return Job(str(size), [find("connform"), "state", "list", "-f", str(file)], says(name_of(size - 1)))
