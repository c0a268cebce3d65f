"""Windows is not supported, and who tries learns it from one line."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> subprocess.CompletedProcess[str]:
    program = f"import os\nimport click\nos.name = 'nt'\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_a_command_ends_with_one_line() -> None:
    done = run("from connform.cli.main import main\nraise SystemExit(main(['validate']))")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
    assert "on Windows, use it in WSL or in a container" in done.stderr


@pytest.mark.parametrize("name", ["connect", "ConnformError"])
def test_a_program_learns_it_from_its_first_import(name: str) -> None:
    done = run(f"from connform import {name}")
    assert "ImportError: connform runs on Linux, macOS" in done.stderr
