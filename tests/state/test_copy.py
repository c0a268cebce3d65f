"""`state copy`: there and back, refused, waiting, and cut off at any moment; at no moment may two places renew a grant."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from connform.auth.oauth.pending_refresh import track_refresh
from connform.database.cipher import new_key
from connform.database.content import CONTENT
from connform.database.copy_marks import CopiedTo, CopyMarks, write_marks
from connform.database.copying import SEALED
from connform.database.sqlite import _MIGRATIONS
from connform.database.sqlite_trust import _schema_of
from connform.engine.run.state_location import StateLocation
from connform.engine.state_copy import copy_state
from connform.errors import ConnectionFailed
from connform.secret import Secret
from tests.database.conftest import grant
from tests.database.postgres import PASSWORD
from tests.end_to_end.running import Run, run_here
from tests.forking import forked
from tests.repetitions import repeated
from tests.state.copies import Place, ending_at
from tests.state.recording import record

NAMES = [f"team-{number}" for number in range(4)]
GRANTED = NAMES[:3]
KEY = "CONNFORM_TEST_KEY"
MANIFEST = """
version: 1
connections:
  {name}:
    provider: http
    base_url: https://acme.example
    check: {{path: /me, expect: {{text: pong}}}}
    auth: {{method: api_key, api_key: env://K}}
"""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(KEY, new_key())
    return os.environ[KEY]


def in_folder(folder: Path) -> Place:
    return Place(f"sqlite://{folder}")


def copied(folder: Path, source: Place, target: Place, *options: str) -> Run:
    """Run `state copy` from one place to another; a target with a password is named as it must be."""
    url, password = target.url, {}
    if "@" in url:
        head, _, tail = url.partition("@")
        user, _, secret = head.rpartition(":")
        url, password = f"{user}@{tail}", {"PGPASSWORD": secret}
    to = ["--to", url, *(["--to-key", f"env://{target.key_variable}"] if target.key_variable else [])]
    env = {"CONNFORM_STATE": source.url, KEY: os.environ[KEY], **password}
    run = run_here("state", "copy", *to, *source.options, *options, cwd=folder, env=env)
    assert os.environ[KEY] not in run.out + run.err
    assert PASSWORD not in run.out + run.err
    return run


@pytest.fixture
def there(tmp_path: Path) -> Place:
    place = in_folder(tmp_path / "there")
    place.fill(NAMES, GRANTED)
    return place


def test_there_and_back_everything_is_equal(tmp_path: Path, there: Place, database: str) -> None:
    before, server, back = there.content(), Place(database, KEY), in_folder(tmp_path / "back")
    run = copied(tmp_path, there, server)
    assert (run.code, run.err) == (0, "")
    assert "4 connections, 8 attempts, 1 former specification, 4 recorded checks" in run.out
    assert "4 changes of verdict, 4 hourly figures, 3 grants, 3 issued tokens" in run.out
    assert server.content() == before
    assert copied(tmp_path, server, back).code == 0
    assert back.content() == before
    assert [place.is_in_use() for place in (there, server, back)] == [False, False, True]
    with back.opened() as table, table.lock("team-0", 5) as locked:
        locked.write(grant("team-0")._replace(access_token=Secret("renewed since")))
    run = copied(tmp_path, back, there)
    assert run.code == 0, "the first one holds nothing that wasn't copied"
    assert there.content()["secrets"]["team-0"][0] == "renewed since"
    assert there.is_in_use()


def test_what_was_copied_is_only_read(tmp_path: Path, there: Place) -> None:
    target = in_folder(tmp_path / "target")
    assert copied(tmp_path, there, target).code == 0
    env = {"CONNFORM_STATE": there.url}
    listed = run_here("state", "list", cwd=tmp_path, env=env)
    assert listed.code == 0
    assert f"note: {tmp_path}/there/state.sqlite3 was copied to {tmp_path}/target/state.sqlite3 at " in listed.err
    removed = run_here("state", "rm", "team-0", cwd=tmp_path, env=env)
    assert (removed.code, "store_unwritable" in removed.err) == (5, True)
    with there.opened() as table, table.lock("team-0", 5) as locked:
        kept = locked.read()
        assert kept is not None
        with pytest.raises(ConnectionFailed, match="was copied to"):
            locked.begin_refresh(kept)
    again = copied(tmp_path, there, target)
    assert (again.code, "nothing to do" in again.out) == (0, True)


def _other_content(target: Place, there: Place) -> None:
    target.fill(["other"], [])


def _copied_elsewhere(target: Place, there: Place) -> None:
    assert copied(Path("/"), there, in_folder(Path(target.url[9:]).with_name("elsewhere"))).code == 0


@pytest.mark.parametrize(
    ("before", "options", "said"),
    [
        (_other_content, (), "holds another state already"),
        (_other_content, ("--force",), "holds another state already"),
        (_copied_elsewhere, (), "elsewhere/state.sqlite3 at"),
    ],
)
def test_a_copy_that_would_lose_something_is_refused(
    tmp_path: Path, there: Place, before: Any, options: tuple[str, ...], said: str
) -> None:
    target = in_folder(tmp_path / "target")
    before(target, there)
    contents = there.content(), target.content(), there.is_in_use()
    run = copied(tmp_path, there, target, *options)
    assert (run.code, said in run.err) == (7, True), run.err
    assert (there.content(), target.content(), there.is_in_use()) == contents


def test_what_was_copied_to_a_place_that_is_lost_can_be_copied_once_more(tmp_path: Path, there: Place) -> None:
    before, target = there.content(), in_folder(tmp_path / "target")
    _copied_elsewhere(target, there)
    assert copied(tmp_path, there, target, "--force").code == 0
    assert target.content() == before


def test_a_state_is_not_copied_onto_itself_nor_from_nowhere(tmp_path: Path, there: Place) -> None:
    itself = copied(tmp_path, there, there)
    assert (itself.code, "is the state that is to be copied" in itself.err) == (7, True)
    assert there.is_in_use()
    nowhere = copied(tmp_path, in_folder(tmp_path / "nothing"), in_folder(tmp_path / "target"))
    assert (nowhere.code, "nothing is recorded in" in nowhere.err) == (7, True)


@pytest.mark.parametrize("variable", ["", "CONNFORM_ABSENT"])
def test_without_the_key_of_the_target_both_stay_as_they_were(
    tmp_path: Path, there: Place, database: str, variable: str
) -> None:
    before = there.content()
    run = copied(tmp_path, there, Place(database, variable))
    assert run.code == 5
    assert there.is_in_use()
    assert there.content() == before
    assert Place(database, KEY).content() == {}


def test_the_states_of_several_folders_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "connections.yaml").write_text(MANIFEST.format(name=folder))
        record(tmp_path / folder / "connections.yaml")
    Place(f"sqlite://{tmp_path}/a/.connform").fill([], ["a"])
    monkeypatch.chdir(tmp_path)
    one = ("-f", "a", "-f", "b")
    env = {"CONNFORM_STATE": f"sqlite://{tmp_path}/all"}
    run = run_here(*one, "state", "copy", "--to", env["CONNFORM_STATE"], cwd=tmp_path)
    assert run.code == 0, run.err
    assert "2 connections, 2 attempts, 1 former specification, 1 grant" in run.out
    planned = run_here(*one, "plan", "--format", "json", cwd=tmp_path, env=env)
    assert {one["action"] for one in planned.report["connections"]} == {"none"}, "outside of a repository, paths differ"


@pytest.mark.parametrize("table", ["connform_connections", "connform_checks", "connform_grants", "connform_tokens"])
def test_a_connection_that_two_folders_know_is_named(table: str, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "connections.yaml").write_text(MANIFEST.format(name=folder))
        Place(f"sqlite://{tmp_path}/{folder}/.connform").fill(["left"], ["left"])
    with closing(sqlite3.connect(tmp_path / "b/.connform/state.sqlite3")) as database, database:
        for one in ("connections", "history", "checks", "verdicts", "hours", "grants", "tokens"):
            if f"connform_{one}" != table:
                database.execute(f"DELETE FROM connform_{one}")
    run = run_here("-f", "a", "-f", "b", "state", "copy", "--to", f"sqlite://{tmp_path}/all", cwd=tmp_path)
    assert (run.code, "left is recorded in" in run.err) == (7, True)


def test_a_former_specification_that_two_folders_have_is_copied_once(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "connections.yaml").write_text(MANIFEST.format(name=folder))
        Place(f"sqlite://{tmp_path}/{folder}/.connform").fill([folder], [])
    run = run_here("-f", "a", "-f", "b", "state", "copy", "--to", f"sqlite://{tmp_path}/all", cwd=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert len(Place(f"sqlite://{tmp_path}/all").content()["connform_meta"]) == 1


def test_a_renewal_that_is_under_way_is_waited_for(
    tmp_path: Path, there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = in_folder(tmp_path / "target")
    with there.opened() as table, track_refresh("team-1"), table.lock("team-1", 5) as locked:
        kept = locked.read()
        assert kept is not None
        assert locked.begin_refresh(kept)
        early = copied(tmp_path, there, target, "--lock-timeout", "0.2")
        assert (early.code, "store_locked" in early.err) == (5, True)
        copying = Thread(target=_copy, args=(there, target, 0))
        copying.start()
        locked.write(grant("team-1")._replace(access_token=Secret("renewed meanwhile")))
    copying.join()
    assert target.content()["secrets"]["team-1"][0] == "renewed meanwhile"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_waited_to_write_during_a_copy_writes_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = Place(request.getfixturevalue("database"), KEY) if kind == "postgresql" else in_folder(tmp_path / "state")
    place.fill(NAMES, GRANTED)
    failures: list[str] = []

    def renew() -> None:
        with place.opened() as table, table.lock("team-0", 5) as locked:
            kept = locked.read()
            assert kept is not None
            try:
                locked.begin_refresh(kept)
            except ConnectionFailed as failure:
                failures.append(failure.fault.name)

    with place.opened() as table:
        with table.keyed.database.exclusive() as execute:
            renewing = Thread(target=renew)
            renewing.start()
            renewing.join(0.3)
            assert renewing.is_alive(), "it waits"
            write_marks(execute, CopyMarks("a", CopiedTo("b", "elsewhere", "now")))
        renewing.join()
        kept = table.read("team-0")
    assert failures == ["store_unwritable"]
    assert kept is not None
    assert kept.facts.pending is None


def _copy(source: Place, target: Place, moment: int) -> int:
    locations = [
        StateLocation(place.url, f"env://{place.key_variable}" if place.key_variable else "")
        for place in (source, target)
    ]
    with ending_at(moment) as moments:
        copy_state((), state=locations[0], to=locations[1], lock_timeout_s=30)
    return moments[0]


def test_cut_off_at_any_moment_nothing_is_lost_and_no_grant_is_in_two_places(
    tmp_path: Path, there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = in_folder(tmp_path / "tried")
    tried.fill(NAMES, GRANTED)
    total = _copy(tried, in_folder(tmp_path / "whole"), 0)
    assert total > 40, "too few moments to be a copy"
    before, seen = there.content(), set()
    for moment in (*range(1, total - 6, repeated(9, 1)), *range(total - 6, total + 1)):
        target = in_folder(tmp_path / f"target-{moment}")
        with forked(partial(_copy, there, target, moment)) as child, pytest.raises(EOFError):
            child.said.recv()
        assert there.content() == before
        found, in_use = target.content(), (there.is_in_use(), target.is_in_use())
        assert found in ({}, before)
        seen.add((bool(found), *in_use))
        if not there.is_in_use():
            assert _copy(there, target, 0)
            assert (target.content(), target.is_in_use()) == (before, True)
            assert _copy(target, there, 0)
            assert (there.content(), there.is_in_use()) == (before, True)
    before_commits, between, after = (False, True, False), (False, False, False), (True, False, True)
    assert seen == {before_commits, between, after}, "has content, source in use, target in use"


def test_every_table_of_the_schema_is_copied_or_left_out_on_purpose() -> None:
    known = {table.name: {*table.columns} for table in (*CONTENT, *SEALED)}
    left_out = {"connform_meta", "connform_stamps", "connform_schedule", "connform_lists"}
    schema = _schema_of(_MIGRATIONS)
    assert set(schema) - left_out == set(known) - left_out
    with_columns = _columns()
    assert {name: with_columns[name] for name in known} == known


def _columns() -> dict[str, set[str]]:
    with closing(sqlite3.connect(":memory:")) as memory:
        for script in _MIGRATIONS:
            memory.executescript(script)
        names = [name for (name,) in memory.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: {row[1] for row in memory.execute(f"PRAGMA table_info({name})")} for name in names}
