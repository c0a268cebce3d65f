"""Runs jobs of several tools in turn, checks that each did its work, and turns the times into tables and goals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

LIMIT_S = 600
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CONNFORM", "TF_"))}
"""What the jobs see: nothing that changes how Python starts (PYTHONDONTWRITEBYTECODE alone makes it four times slower)."""


class WrongAnswer(Exception):
    """A tool was fast or slow, and wrong."""


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    seconds: float
    peak_mb: float
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Job:
    """One command of one tool."""

    tool: str
    argv: Sequence[str]
    is_right: Callable[[Outcome], bool]
    """Whether exit code and output are those of the whole job, done."""
    environment: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None


@dataclass
class Figures:
    """What the rounds of one job gave, in their order."""

    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def median_s(self) -> float:
        return median(self.seconds)

    @property
    def median_mb(self) -> float:
        return median(self.peak_mb)


def find(tool: str) -> str:
    """Return the path of a tool: on the PATH, else beside this Python; empty where it isn't installed."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(tool) or shutil.which(tool, path=beside) or ""


def run(job: Job, folder: Path) -> Outcome:
    """Run a job once.

    Raises:
        WrongAnswer: exit code or output aren't those of the job, done.
    """
    result, stdout, stderr = (folder / name for name in ("result.json", "stdout.txt", "stderr.txt"))
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
    environment = {**ENVIRONMENT, **job.environment}
    with subprocess.Popen(
        [*launcher, str(result), str(stdout), str(stderr), *job.argv],
        cwd=job.cwd or folder,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            code = process.wait(LIMIT_S)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # the launcher and its job
            if isinstance(error, subprocess.TimeoutExpired):
                message = f"{job.tool} was not done after {LIMIT_S} s"
                raise WrongAnswer(message) from None
            raise
    if code:
        message = f"{job.tool} could not be started: {job.argv[0]}"
        raise WrongAnswer(message)
    figures = json.loads(result.read_text())
    outcome = Outcome(**figures, stdout=stdout.read_text(errors="replace"), stderr=stderr.read_text(errors="replace"))
    if not job.is_right(outcome):
        said = (outcome.stdout[-600:] + outcome.stderr[-600:]).strip()
        message = f"{job.tool} ended with {outcome.exit_code}, and did not do the job:\n{said}"
        raise WrongAnswer(message)
    return outcome


def interleave(jobs: Sequence[Job], rounds: int, folder: Path) -> dict[str, Figures]:
    """Run every job once for warmth, then all of them in each round, in an order that turns: A B C, B C A, …"""
    for job in jobs:
        run(job, folder)
    figures = {job.tool: Figures() for job in jobs}
    for number in range(rounds):
        shift = number % len(jobs)
        for job in (*jobs[shift:], *jobs[:shift]):
            outcome = run(job, folder)
            figures[job.tool].seconds.append(outcome.seconds)
            figures[job.tool].peak_mb.append(outcome.peak_mb)
            figures[job.tool].outcomes.append(outcome)
    return figures


def ratio(figures: dict[str, Figures], tool: str, peer: str) -> float | None:
    """Return the median over the rounds of one tool's time in terms of another's; None without that peer."""
    if tool not in figures or peer not in figures:
        return None
    return median(a / b for a, b in zip(figures[tool].seconds, figures[peer].seconds, strict=True))


def table(figures: dict[str, Figures], base: str) -> list[str]:
    """Return Markdown: median, least and most, ratio to `base`, peak memory."""
    lines = [f"| tool | median | least and most | ratio to {base} | peak memory |", "|---|---|---|---|---|"]
    for tool, one in figures.items():
        times = f"{shown(one.median_s)} | {shown(min(one.seconds))}, {shown(max(one.seconds))}"
        lines.append(f"| {tool} | {times} | {ratio(figures, tool, base):.2f} | {one.median_mb:.0f} MB |")
    return lines


def shown(seconds: float) -> str:
    """Return a time with three digits that count."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2f} ms"


def goal(text: str, measured: float | None, limit: float, unit: str = "") -> str:
    """Return one line that says whether a goal is met; `measured` is None where the peer isn't installed."""
    if measured is None:
        return f"- not judged: {text} (the peer is not installed)"
    verdict = "met" if measured <= limit else "**missed**"
    return f"- {verdict}: {text} ≤ {limit:.3g}{unit}: {measured:.3g}{unit}"
