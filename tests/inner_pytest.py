"""A run of pytest inside a test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def pytest_command(folders: pytest.TempPathFactory, *arguments: str | Path) -> list[str]:
    """Return the command line of a run of pytest that leaves the folders of other runs alone.

    Without `--basetemp`, it would delete those of earlier runs at its end: tens of thousands of files, which can take
    longer than a test may.

    Args:
        folders: where its temporary folder is made.
        arguments: its options and tests.
    """
    own = ["-p", "no:cacheprovider", "--basetemp", folders.mktemp("inner")]
    return [sys.executable, "-m", "pytest", *map(str, [*own, *arguments])]
