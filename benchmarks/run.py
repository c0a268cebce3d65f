"""Measures connform against its peers and prints Markdown. `python benchmarks/run.py [--quick] [NAME…]`.

Fails where a tool gives a wrong answer, never where a goal is missed: machines differ. docs/benchmarks.md explains each benchmark.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from measure import ENVIRONMENT, WrongAnswer, find
from offline import bad, files, hostile, large, start
from online import checks, clients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass
class Bench:
    """One benchmark that runs: its folder, its sizes, and what it says."""

    folder: Path
    schema: Path
    quick: bool
    missing: set[str] = field(default_factory=set)
    goals: list[str] = field(default_factory=list)

    def size(self, full: int) -> int:
        return full // 10 if self.quick else full

    def rounds(self, full: int) -> int:
        return 3 if self.quick else full

    def peer(self, tool: str) -> str:
        """Return the path of a peer; where it is missing, note that, and return nothing."""
        path = find(tool)
        if not path:
            self.missing.add(f"{tool} is not installed (neither beside this Python nor on the PATH)")
        return path

    def no_peer(self, tool: str) -> None:
        """Note a peer of which only figures taken elsewhere are known."""
        there = "is installed, but reads Kubernetes resources only: no equal job" if find(tool) else "is not installed"
        self.missing.add(f"{tool} {there}")

    def script(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name(name)), *arguments]

    def tell(self, lines: Iterable[str]) -> None:
        print("", *lines, sep="\n", flush=True)

    def judge(self, *goals: str) -> None:
        if not self.quick:
            self.goals += goals


BENCHMARKS: dict[str, Callable[[Bench], None]] = {
    "start": start,
    "files": files,
    "large": large,
    "bad": bad,
    "hostile": hostile,
    "clients": clients,
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
        parser.error("connform is not installed beside this Python: `make bench` does that")
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
