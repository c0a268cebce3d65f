"""Files made to hurt."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.inputs.manifests import write_connections
from benchmarks.jobs.validators import validate
from benchmarks.kit.bench import Bench
from benchmarks.kit.figures import shown
from benchmarks.kit.goals import Goal
from benchmarks.kit.measure import Job, WrongAnswer, find, run, says
from tests.hostile import SHAPES

LEVELS = "\n".join(f"  l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 12))
REFUSED = {
    "aliases that would make 10^12 nodes": f"version: 1\nbomb:\n  l0: &l0 [a]\n{LEVELS}\n",
    "200,000 open brackets": "version: 1\nconnections: " + "[" * 200_000,
    "20,000 nested mappings": "".join(f"{' ' * depth}k:\n" for depth in range(2_000)) + "{k: " * 18_000,
    "20,000 spaces in one line": f"version: 1\nconnections: a{' ' * 20_000}b\n",
    "a scalar of 10 MB": f"version: 1\nconnections: {'a' * 10_000_000}\n",
    "a scalar of 7 MB, in a file just small enough": f"version: 1\nconnections: {'a' * 7_000_000}\n",
}
"""What is refused while it is read → the file's text."""
MEGABYTE = 1_000_000
TOLD = 5


def hostile(bench: Bench) -> None:
    """Files made to hurt: how long a refusal takes after start-up, and the dearest of many shapes of 1 MB."""
    small = bench.folder / "small.yaml"
    write_connections(small, 1)
    paths = {}
    for number, (what, text) in enumerate(REFUSED.items()):
        paths[what] = bench.folder / f"hostile-{number}.yaml"
        paths[what].write_text(text)
    script = bench.script("refusals.py", str(small), *map(str, paths.values()))
    inside = bench.interleave([Job("refusals", script, says("^{"))], 5)["refusals"]
    rounds = [json.loads(stdout) for stdout in inside.stdouts]
    lines = ["| file | refused as | in the process | whole command |", "|---|---|---|---|"]
    worst = ("", 0.0)
    for what, path in paths.items():
        codes = {code for one in rounds for code in one[str(path)]["codes"]}
        if not codes:
            message = f"{what} was accepted"
            raise WrongAnswer(message)
        seconds = sorted(one[str(path)]["seconds"] for one in rounds)[len(rounds) // 2]
        worst = max(worst, (what, seconds), key=lambda one: one[1])
        command = run(validate(path, "error", 1), bench.folder)
        lines.append(f"| {what} | {', '.join(sorted(codes))} | {shown(seconds)} | {shown(command.seconds)} |")
    bench.tell(lines)
    bench.judge(Goal(f"refusing a file while it is read; the dearest is {worst[0]}", 50, worst[1] * 1000, " ms"))
    _shapes(bench, bench.folder / "shape.yaml")


def _shapes(bench: Bench, file: Path) -> None:
    """Judge one file of 1 MB of each shape, and tell the dearest."""
    job = Job("validate", [find("connform"), "validate", str(file)], lambda outcome: outcome.exit_code in {0, 1, 3})
    found = {}
    for name, make in list(SHAPES.items())[:: bench.size(1, 10)]:
        file.write_text(make(bench.size(MEGABYTE, 1000)))
        found[name] = run(job, bench.folder)
    by_time = sorted(found, key=lambda name: -found[name].seconds)
    by_memory = sorted(found, key=lambda name: -found[name].peak_mb)
    told = dict.fromkeys(by_time[:TOLD] + by_memory[:TOLD])
    rows = [f"| {name} | {shown(found[name].seconds)} | {found[name].peak_mb:.0f} MB |" for name in told]
    bench.tell([f"The dearest of {len(found)} shapes of 1 MB, each judged once, as a whole command:"])
    bench.tell(["| shape | time | peak memory |", "|---|---|---|", *rows])
    bench.judge(
        Goal(f"1 MB, however hostile; the slowest is {by_time[0]}", 2, found[by_time[0]].seconds, " s"),
        Goal(f"1 MB, however hostile; the largest is {by_memory[0]}", 200, found[by_memory[0]].peak_mb, " MB"),
    )
