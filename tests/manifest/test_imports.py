"""What starts fast imports little: counted, not timed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SLOW = {
    "httpx",
    "httpcore",
    "jsonschema",
    "ssl",
    "asyncio",
    "cryptography",
    "rich",
    "anyio",
    "urllib.request",
    "sqlite3",
}
EXAMPLE = Path(__file__).parents[2] / "connections.yaml.example"
SIMPLE = """version: 1
connections:
  a:
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: 'env://A'}
"""


def modules(*arguments: str) -> set[str]:
    """The names of all modules that a run of the command line imports."""
    command = [sys.executable, "-X", "importtime", "-m", "connform", *arguments]
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=unmeasured)
    assert done.returncode == 0, done.stdout
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("validate", "-f", str(EXAMPLE)), ("list", "-f", str(EXAMPLE))]
)
def test_nothing_slow_is_imported(arguments: Sequence[str]) -> None:
    assert modules(*arguments) & SLOW == set()


def test_help_imports_no_engine_and_no_yaml() -> None:
    found = modules("--help")
    assert not {
        name
        for name in found
        if name.startswith(("yaml", "connform.engine", "connform.manifest", "connform.reporters"))
    }


def test_validate_imports_no_more_than_it_needs() -> None:
    """A new import is welcome if it is needed: raise the figure then."""
    bare = modules("--help")
    assert len(modules("validate", "-f", str(EXAMPLE)) - bare) < 160


def test_a_mistake_imports_only_the_backends_that_the_manifest_names(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(EXAMPLE.read_text().replace("region: us", "region: US", 1))
    program = (
        "import sys; from connform.cli.main import main; from connform.secrets import BACKENDS, _IMPORT_PATHS\n"
        "code = main(['validate', '-q', sys.argv[1]])\n"
        "used = [name for name, path in _IMPORT_PATHS.items() if f'connform.secrets.{path.split(chr(58))[0]}' in sys.modules]\n"
        "print(code, *used, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.split() == ["1", "env", "dotenv", "file", "vault"]


def test_what_checks_providers_is_imported_only_if_some_are_declared() -> None:
    assert not {
        name
        for name in modules("validate", "-f", str(EXAMPLE))
        if "described.entry" in name or "described.rules" in name
    }


def test_a_simple_manifest_is_validated_without_what_mistakes_and_requests_need(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(SIMPLE)
    found = modules("validate", str(file))
    assert not {name for name in found if name.startswith(("connform.auth.kit", "connform.http"))}
    assert not {name for name in found if name.partition(".")[0] in ("yaml", "pathlib", "urllib", "locale")}
    assert not found & {
        f"connform.manifest.{name}" for name in ("branch_findings", "default_search", "moves", "placeholders")
    }


def test_a_plan_is_made_without_what_checks_locks_and_tokens_need(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(SIMPLE)
    assert not modules("plan", "-f", str(file)) & {
        "connform.database.locks",
        "connform.http.settings",
        "connform.issued_token",
        "connform.recorded_checks",
        "connform.reporters.text_verdicts",
        "connform.secrets.kit.file_reader",
    }
