"""Measures connform against its peers and prints Markdown. `python -m benchmarks [--smoke] [NAME…]`.

Fails where a tool gives a wrong answer, never where a goal is missed: machines differ. A whole run writes what it printed to
build/benchmarks.md. docs/explanation/benchmarks.md explains each benchmark.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.jobs.bad import bad, formats
from benchmarks.jobs.checks import checks
from benchmarks.jobs.clients import clients, overhead
from benchmarks.jobs.files import files
from benchmarks.jobs.grants import grants
from benchmarks.jobs.growth import growth
from benchmarks.jobs.hostile import hostile
from benchmarks.jobs.large import large
from benchmarks.jobs.plan import plan
from benchmarks.jobs.proxy import proxy
from benchmarks.jobs.start import start
from benchmarks.kit.bench import Bench
from benchmarks.kit.goals import Goal, table_of
from benchmarks.kit.machine import ROOT, about
from benchmarks.kit.measure import ENVIRONMENT, WrongAnswer, find

BENCHMARKS: dict[str, Callable[[Bench], None]] = {
    one.__name__: one
    for one in (start, files, large, bad, formats, hostile, plan, clients, overhead, proxy, grants, checks, growth)
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure connform against its peers.")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round, no goals: does each still work?")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if not find("connform"):
        parser.error("connform is not installed: `make bench` does that")
    with tempfile.TemporaryDirectory(prefix="connform-bench-") as root:
        return measure(arguments.names or list(BENCHMARKS), Path(root), is_smoke=arguments.smoke)


def measure(names: list[str], root: Path, *, is_smoke: bool) -> int:
    """Run benchmarks and print what they found; a whole run is kept in build/. Return 1 for a wrong answer."""
    lines = list(about(root, starts=1 if is_smoke else 21))
    print(*lines, sep="\n", flush=True)
    connform = find("connform")
    subprocess.run(
        [connform, "schema", "--write", str(root / "schema")], check=True, env=ENVIRONMENT, capture_output=True
    )
    goals: list[Goal] = []
    wrong, picture = [], ""
    for name in names:
        head = f"### {name}: {(BENCHMARKS[name].__doc__ or '').strip()}"
        print("", head, sep="\n", flush=True)
        bench = Bench(root / name, root / "schema" / "connections.schema.json", is_smoke)
        bench.folder.mkdir()
        try:
            BENCHMARKS[name](bench)
        except (WrongAnswer, subprocess.SubprocessError) as answer:
            wrong.append(name)
            bench.tell([f"WRONG ANSWER: {answer}"])
        for reason in sorted(bench.missing):
            bench.tell([f"Left out: {reason}."])
        lines += ["", head, *bench.lines]
        goals += bench.goals
        picture = bench.picture or picture
        shutil.rmtree(bench.folder)
    if goals:
        end = ["", "### Goals", "", *table_of(goals)]
        print(*end, sep="\n")
        lines += end
    if wrong:
        print(f"wrong answers: {', '.join(wrong)}", file=sys.stderr)
    elif not is_smoke and names == list(BENCHMARKS):
        keep(lines, picture)
    return 1 if wrong else 0


def keep(lines: list[str], picture: str) -> None:
    """Write the output of a whole run to build/, for `make benchpage`."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "benchmarks.md").write_text("\n".join((*lines, "")), encoding="utf-8")
    (build / "growth.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
