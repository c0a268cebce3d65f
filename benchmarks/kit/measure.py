"""Runs jobs of several tools in turn, and checks that each did its work."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kit.figures import Figures

LIMIT_S = 600
SLOW_ROUNDS = 3
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CONNFORM", "TF_"))}
"""What the jobs see: nothing that changes how Python starts (PYTHONDONTWRITEBYTECODE alone makes it four times slower)."""


class WrongAnswer(Exception):
    """A tool was fast or slow, and wrong."""


@dataclass(frozen=True)
class Outcome:
    """What one run of a command gave; its peak memory is in megabytes."""

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
    is_slow: bool = False
    """It runs for seconds: no warm-up run, and no more than the first `SLOW_ROUNDS` rounds."""


def says(pattern: str, exit_code: int = 0) -> Callable[[Outcome], bool]:
    """Return the condition that a job ends with this code and says this on standard output."""
    return lambda outcome: outcome.exit_code == exit_code and bool(re.search(pattern, outcome.stdout))


def find(tool: str) -> str:
    """Return the path of a tool: on the PATH, else beside this Python; empty where it isn't installed."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(tool) or shutil.which(tool, path=beside) or ""


def python_of_connform() -> str:
    """Return the interpreter beside `connform`, which has what its users install; this one, where none is there."""
    beside = Path(find("connform")).with_name("python")
    return str(beside) if beside.exists() else sys.executable


def run(job: Job, folder: Path) -> Outcome:
    """Run a job once.

    Raises:
        WrongAnswer: exit code or output aren't those of the job, done.
    """
    result, stdout, stderr = (folder / name for name in ("result.json", "stdout.txt", "stderr.txt"))
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
    with subprocess.Popen(
        [*launcher, str(result), str(stdout), str(stderr), *job.argv],
        cwd=job.cwd or folder,
        env={**ENVIRONMENT, **job.environment},
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


def interleave(jobs: Sequence[Job], rounds: int, folder: Path, *, is_warmed: bool = True) -> dict[str, Figures]:
    """Run every job once for warmth, then all of them in each round, in an order that turns: A B C, B C A, …

    Raises:
        WrongAnswer: of the first job that did not do its work.
    """
    for job in jobs:
        if is_warmed and not job.is_slow:
            run(job, folder)
    figures = {job.tool: Figures() for job in jobs}
    for number in range(rounds):
        shift = number % len(jobs)
        for job in (*jobs[shift:], *jobs[:shift]):
            if job.is_slow and number >= SLOW_ROUNDS:
                continue
            outcome = run(job, folder)
            figures[job.tool].seconds.append(outcome.seconds)
            figures[job.tool].peak_mb.append(outcome.peak_mb)
            figures[job.tool].stdouts.append(outcome.stdout)
    return figures
