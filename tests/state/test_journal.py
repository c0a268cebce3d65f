"""Records on their way to a store that takes none: whoever waits is told, and another store is not concerned."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connform.database import open_state, sqlite
from connform.database.sqlite import FILE
from connform.engine.changes.group_commit import GroupCommit
from connform.recorded import Actor, AppliedRecord, Attempt
from tests.end_to_end.running import run_here as run
from tests.state.conftest import Repository

ODD = os.fsdecode(b"te\xffam")
"""A folder's name that is no UTF-8: no database takes it as text."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("database")) if request.param == "postgresql" else ""


def test_a_folder_whose_name_is_no_text_is_applied_and_remembered(repository: Repository) -> None:
    repository.declare("one", "two")
    (repository.folder / ".git").mkdir()  # so that the folder's name is part of the path that is recorded
    folder = repository.folder / ODD
    folder.mkdir()
    (repository.folder / "connections.yaml").rename(folder / "connections.yaml")
    named = ("-f", os.path.join(ODD, "connections.yaml"))
    assert repository.run("apply", "--yes", "--timeout", "5", *named).code == 0
    planned = repository.run("plan", "--format", "json", "--detailed-exitcode", *named)
    assert (planned.code, {one["action"] for one in planned.connections.values()}) == (0, {"none"})
    if repository.state:
        repository.connections.clear()
        repository.declare("three")
        assert set(repository.run("plan", "--format", "json").connections) == {"three"}, "its file is still there"
    (folder / "connections.yaml").write_text('{"version": 1, "connections": {}}')
    assert repository.run("apply", "--yes", *named).code == 0
    shown = run("state", "list", "--format", "json", *named, cwd=repository.folder, env=repository.environment)
    assert shown.connections == {}


def test_a_store_that_fails_stops_no_connection_of_another(
    sqlite_repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = sqlite_repository
    files = []
    for team in ("east", "west"):
        (repository.folder / team).mkdir()
        repository.connections.clear()
        repository.declare(*(f"{team}-{number}" for number in range(8)))
        files.append((repository.folder / "connections.yaml").rename(repository.folder / team / "connections.yaml"))
    named = ("-f", files[0], "-f", files[1])
    assert repository.run("apply", "--yes", *named).code == 0
    for declared in files:
        declared.write_text(declared.read_text().replace('"provider"', '"owner": "payments", "provider"'))
    monkeypatch.setattr(sqlite, "_BUSY_S", 0.2)
    repository.api.forget()
    with closing(sqlite3.connect(repository.folder / "east" / ".connform" / FILE, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        changed = repository.run("apply", "--yes", "--force", "--parallelism", "4", "--format", "json", *named)
    verdicts = {name: (one["verdict"], one["class"]) for name, one in changed.connections.items()}
    assert verdicts == {
        **{f"east-{number}": ("unknown", "store_locked") for number in range(8)},
        **{f"west-{number}": ("ready", "") for number in range(8)},
    }
    assert set(repository.api.asked) == {f"west-{number}" for number in range(8)}, "what can't be recorded is not begun"


def record(name: str) -> AppliedRecord:
    attempt = Attempt(datetime.now(UTC), Actor("user", "host"), "create", "", "", "", "ready")
    return AppliedRecord(name, "connections.yaml", "", {}, attempt)


def test_who_no_longer_waits_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def write_all() -> None:
        with closing(open_state("", tmp_path / ".connform")) as states, states.lock_parts(["00"], 5) as changes:
            journal = GroupCommit(changes)
            first, second = (asyncio.create_task(journal.write(record(name))) for name in ("first", "second"))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait_for(second, 20)
            assert first.cancelled()

    asyncio.run(write_all())


def test_everybody_who_waits_is_told_what_the_driver_raised(tmp_path: Path, url: str) -> None:
    """A name that no manifest may have: what the driver says of it is none of the faults that a store foresees."""
    records = [record(name) for name in ("good", ODD, "other")]

    async def write_all() -> list[BaseException | None]:
        with closing(open_state(url, tmp_path / ".connform")) as states, states.lock_parts(["00"], 5) as changes:
            journal = GroupCommit(changes)
            writing = asyncio.gather(*map(journal.write, records), return_exceptions=True)
            ended = await asyncio.wait_for(writing, 20)
            with pytest.raises(UnicodeEncodeError):
                journal.require_working()
            return ended

    ended = asyncio.run(write_all())
    assert [type(one) for one in ended] == [UnicodeEncodeError] * 3
