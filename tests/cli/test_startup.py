"""Start-up is a promise: help imports no verb, no engine, no library but click."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import connform

SOURCE = str(Path(connform.__file__).parents[1])
HEAVY = {"httpx", "httpcore", "jsonschema", "ssl", "asyncio", "yaml", "cryptography"}
COSTLY = {"dataclasses", "difflib", "importlib.metadata", "json", "pathlib", "shutil", "unicodedata"}


def imported(*argv: str) -> set[str]:
    command = [sys.executable, "-X", "importtime", "-m", "connform", *argv]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**environment, "PYTHONPATH": SOURCE}
    )
    return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What Python and click import by themselves, here, to show a help text."""
    program = "import click; click.Command('x', context_settings={'terminal_width': 79}).main(['--help'])"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], capture_output=True, text=True, check=True
    )
    return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}


def test_help_imports_nothing_it_does_not_need(bare: set[str]) -> None:
    own = {name for name in imported("--help") if name.startswith("connform")}
    assert own == {
        "connform",
        "connform.cli",
        "connform.cli.flag_values",
        "connform.cli.flags",
        "connform.cli.group",
        "connform.cli.help_option",
        "connform.cli.interruption",
        "connform.cli.main",
        "connform.cli.streams",
        "connform.cli.usage",
        "connform.programs",
    }
    assert not (imported("--help") - bare) & (HEAVY | COSTLY)


@pytest.mark.parametrize("argv", [["version"], ["no-such-verb"], ["check", "--help"]], ids=" ".join)
def test_no_engine_without_need(argv: list[str], bare: set[str]) -> None:
    names = imported(*argv)
    assert not (names - bare) & HEAVY
    assert not [name for name in names if name.startswith("connform.engine")]


def test_click_is_not_imported_before_main_turns_the_collector_off() -> None:
    program = "import sys, connform.cli.main; sys.exit('click' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": SOURCE})
