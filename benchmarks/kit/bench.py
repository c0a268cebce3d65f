"""What every benchmark is given: its folder, its sizes, its peers, and a way to say what it found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kit.figures import Figures
from benchmarks.kit.goals import Goal
from benchmarks.kit.measure import Job, find, interleave, python_of_connform

SMOKE_SIZE = 20
SCRIPTS = Path(__file__).parent.parent / "scripts"


@dataclass
class Bench:
    """One benchmark that runs: its folder, its sizes, and what it says."""

    folder: Path
    schema: Path
    """The schema of manifests that connform writes."""
    is_smoke: bool
    """Whether only the answers count: tiny sizes, one round, no goals."""
    lines: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    goals: list[Goal] = field(default_factory=list)
    picture: str = ""
    """An SVG, of the benchmark that draws one."""

    def size(self, full: int, smoke: int = SMOKE_SIZE) -> int:
        return smoke if self.is_smoke else full

    def rounds(self, full: int) -> int:
        return 1 if self.is_smoke else full

    def interleave(self, jobs: Sequence[Job], rounds: int) -> dict[str, Figures]:
        """Run the jobs in turns, so many rounds; just one, without warmth, for the short form."""
        return interleave(jobs, self.rounds(rounds), self.folder, is_warmed=not self.is_smoke)

    def peer(self, tool: str) -> str:
        """Return the path of a peer; where it is missing, note that, and return nothing."""
        path = find(tool)
        if not path:
            self.missing.add(f"{tool} is not installed (neither beside this Python nor on the PATH)")
        return path

    def script(self, name: str, *arguments: str, python: str = "") -> list[str]:
        """Return the command that runs a script beside these files, as a rule with connform's own interpreter."""
        return [python or python_of_connform(), str(SCRIPTS / name), *arguments]

    def tell(self, lines: Iterable[str]) -> None:
        """Print a paragraph, and keep it for the page."""
        told = ["", *lines]
        print(*told, sep="\n", flush=True)
        self.lines += told

    def judge(self, *goals: Goal) -> None:
        if not self.is_smoke:
            self.goals += goals
