"""What every benchmark is given: its folder, its sizes, its peers, and a way to say what it found."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from measure import Outcome, find


def says(pattern: str, exit_code: int = 0) -> Callable[[Outcome], bool]:
    """Return the condition that a job ends with this code and says this on standard output."""
    return lambda outcome: outcome.exit_code == exit_code and bool(re.search(pattern, outcome.stdout))


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
