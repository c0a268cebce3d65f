"""Plans, queries and a rehearsal of many connections."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.inputs.manifests import name_of, write_connections
from benchmarks.jobs.validators import validate
from benchmarks.kit.bench import Bench
from benchmarks.kit.figures import table
from benchmarks.kit.goals import Goal, beside
from benchmarks.kit.measure import ENVIRONMENT, Job, find, run, says

TO_VALIDATE = 1.6


def plan(bench: Bench) -> None:
    """The same 10,000 connections against their recorded state: nothing recorded, everything recorded, everything changed; queries; a rehearsal."""
    count = bench.size(10_000)
    file = bench.folder / "connections.yaml"
    write_connections(file, count)
    connform, f, one = find("connform"), ["-f", str(file)], name_of(count // 2)
    summary = f"{count} connections in 1 file: "
    validating = validate(file, f"^{summary}no errors")

    new = Job("plan, all new", [connform, "plan", *f], says(f"{summary}{count} to create"))
    fresh = bench.interleave([validating, new], 5)
    cost = record(bench, file)
    jobs = [
        validating,
        Job("plan, no changes", new.argv, says(f"{summary}no changes")),
        Job("state list", [connform, "state", "list", *f], says(name_of(count - 1))),
        Job("state show", [connform, "state", "show", one, *f], says("certificate ends")),
        Job("state history", [connform, "state", "history", one, *f], says(one)),
    ]
    recorded = bench.interleave(jobs, 5)
    write_connections(file, count, owner="else@acme.example")
    other = Job("plan, all changed", new.argv, says(f"{summary}{count} to update"))
    changed = bench.interleave([validating, other], 5)
    rehearsed = run(rehearsal(file, count), bench.folder)
    for each in (fresh, recorded, changed):
        bench.tell(table(each, "connform"))
    rate = count / rehearsed.seconds
    bench.tell(
        [
            f"`apply --simulate` took {rehearsed.seconds:.1f} s: {rate:.0f} connections a second, {rehearsed.peak_mb:.0f} MB.",
            f"A record takes {cost['bytes']:.0f} bytes with one attempt, {cost['write_ms']:.2f} ms to write, a hundred at once.",
        ]
    )
    bench.judge(
        beside("plan of 10,000, all new, to validate", TO_VALIDATE, fresh, "plan, all new", "connform"),
        beside("plan of 10,000, no changes, to validate", TO_VALIDATE, recorded, "plan, no changes", "connform"),
        beside("plan of 10,000, all changed, to validate", TO_VALIDATE, changed, "plan, all changed", "connform"),
        Goal("`apply --simulate` of 10,000, connections a second", 400, rate, is_least=True),
        Goal("`apply --simulate` of 10,000, memory", 150, rehearsed.peak_mb, " MB"),
        *(
            Goal(f"`{query}` of 10,000 recorded connections", 100, recorded[query].median_s * 1000, " ms")
            for query in ("state show", "state history", "state list")
        ),
    )


def record(bench: Bench, file: Path) -> dict[str, float]:
    """Record every connection of a manifest as applied, and return the bytes and the milliseconds that each took."""
    argv = bench.script("states.py", str(file))
    done = subprocess.run(argv, check=True, capture_output=True, env=ENVIRONMENT, cwd=bench.folder)
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def rehearsal(file: Path, count: int, tool: str = "apply") -> Job:
    """Return the job of applying a manifest against the simulator, with a state that isn't kept."""
    return Job(tool, [find("connform"), "apply", "--simulate", "-f", str(file)], says(rf"\b{count} ready \("))
