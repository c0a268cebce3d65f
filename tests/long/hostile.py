"""Measures what hostile manifests cost, each in a process of its own: `make long ARGS="hostile --size 1000000 --verb 'validate --format json'"`.

Prints seconds of processor time and the largest memory for each, and ends with 1 where one takes more than 2 s a megabyte, or more than 200 MB
at one megabyte.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.hostile import SHAPES

MEGABYTE = 1_000_000
MOST_SECONDS = 2
"""For each megabyte."""
MOST_MB = 200
"""At one megabyte."""


def measure(argv: list[str], limit_s: int) -> tuple[int, float, float]:
    """Return the exit code, the seconds of processor time and the megabytes of a command, which ends after twice the limit."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (2 * limit_s, 2 * limit_s))

    process = subprocess.Popen(
        argv,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=limit,  # noqa: PLW1509  (there is one thread)
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=MEGABYTE, help="characters of each manifest")
    parser.add_argument("--verb", default="validate")
    parser.add_argument("names", nargs="*", help="parts of the names of shapes; all, if omitted")
    options = parser.parse_args()
    limit_s = max(MOST_SECONDS, MOST_SECONDS * options.size // MEGABYTE)
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "m.yaml"
        for name, make in SHAPES.items():
            if options.names and not any(part in name for part in options.names):
                continue
            file.write_text(make(options.size))
            argv = [sys.executable, "-m", "connform", *shlex.split(options.verb), "-f", str(file)]
            code, seconds, megabytes = measure(argv, limit_s)
            is_dear = seconds > limit_s or (options.size <= MEGABYTE and megabytes > MOST_MB) or code not in {0, 1, 3}
            missed += is_dear
            print(f"{seconds:7.2f} s {megabytes:6.0f} MB  exit {code}  {name}{'  <-- too much' * is_dear}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
