"""Functions that wait for the ends of processes that a program has left."""

from __future__ import annotations

import time
from pathlib import Path


def is_gone(pid: int) -> bool:
    """Whether a process has ended, whoever has to count its remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return True


def assert_gone(pids: Path, number: int) -> None:
    """Wait for the ends of the processes that a script has noted."""
    found = [int(pid) for pid in pids.read_text().split()]
    assert len(found) == number
    patience_ends_at = time.monotonic() + 10
    while not all(map(is_gone, found)):
        assert time.monotonic() < patience_ends_at, "a process is left"
        time.sleep(0.01)
