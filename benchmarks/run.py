"""Measures connform against its peers and prints Markdown. `python benchmarks/run.py [--quick] [NAME…]`.

Fails where a tool gives a wrong answer, never where a goal is missed: machines differ. docs/explanation/benchmarks.md explains each benchmark.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import Bench
from measure import ENVIRONMENT, WrongAnswer, find
from offline import bad, files, formats, hostile, large, plan, start
from online import checks, clients, grants, overhead
from proxies import proxy

BENCHMARKS: dict[str, Callable[[Bench], None]] = {
    "start": start,
    "files": files,
    "large": large,
    "bad": bad,
    "formats": formats,
    "hostile": hostile,
    "plan": plan,
    "clients": clients,
    "overhead": overhead,
    "proxy": proxy,
    "grants": grants,
    "checks": checks,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure connform against its peers.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, three rounds, no goals judged")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if not find("connform"):
        parser.error("connform is not installed: `make bench` does that")
    wrong = 0
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="connform-bench-") as root:
        schemas = Path(root) / "schema"
        subprocess.run(
            [find("connform"), "schema", "--write", str(schemas)],
            check=True,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
        )
        goals = []
        for name in arguments.names or BENCHMARKS:
            folder = Path(root) / name
            folder.mkdir()
            bench = Bench(folder, schemas / "connections.schema.json", arguments.quick)
            print(f"\n## {name}: {(BENCHMARKS[name].__doc__ or '').strip()}", flush=True)
            try:
                BENCHMARKS[name](bench)
            except WrongAnswer as answer:
                wrong = 1
                bench.tell([f"WRONG ANSWER: {answer}"])
            if bench.missing:
                bench.tell(f"Left out: {reason}." for reason in sorted(bench.missing))
            goals += bench.goals
            shutil.rmtree(folder)
    if goals:
        print("\n## Goals", "", *goals, sep="\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
