"""The commands of the guides on renames and shared state do what the guides say, against real state."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.end_to_end.running import AS_INSTALLED, COMMAND, environment
from tests.pages.blocks import ROOT, blocks
from tests.state.conftest import Repository


def _typed(page: str, containing: str) -> list[str]:
    """Return the commands of the only session of a page that has this text."""
    text = (ROOT / "docs" / "guides" / page).read_text("utf-8")
    (session,) = [block.text for block in blocks(text) if block.language == "console" and containing in block.text]
    return [line.removeprefix("$ ") for line in session.splitlines() if line.startswith("$ ")]


def _run(lines: list[str], repository: Repository, variables: dict[str, str] | None = None) -> str:
    path = f"{Path(COMMAND).parent}:{environment()['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=repository.folder,
        env=environment(AS_INSTALLED | repository.environment | {"PATH": path} | (variables or {})),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_connection_is_renamed_by_hand_as_the_guide_says(repository: Repository) -> None:
    repository.declare("customer-oauth")
    assert repository.run("apply", "--yes").code == 0
    _run(_typed("renaming.md", "state mv"), repository)
    assert list(repository.recorded()) == ["customer-acme"]


def test_state_is_shared_on_postgresql_as_the_guide_says(sqlite_repository: Repository, database: str) -> None:
    sqlite_repository.declare("crm")
    lines = [
        line.replace("postgresql://connform@db.acme.example/connform", database)
        for line in _typed("shared-state.md", "CONNFORM_STATE=")
        if not line.startswith("export PGPASSWORD")  # the server of the tests trusts its socket
    ]
    assert "1 to create" in _run(lines, sqlite_repository)
    _run([*lines[:-1], "connform apply --yes"], sqlite_repository)
    assert "no changes" in _run(lines, sqlite_repository)
    assert not (sqlite_repository.folder / ".connform").exists()
