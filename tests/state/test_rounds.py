"""`check --record`: what it records, where, and what later commands show of it; the attempts of `apply` stay apart."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jsonschema import Draft202012Validator

from connform.database import open_checks
from connform.database.sqlite import FILE
from connform.reporters.schemas import SCHEMAS
from tests.end_to_end.running import PATIENCE_S
from tests.state.conftest import Repository
from tests.state.test_interrupted_report import ONE_AT_A_TIME, interrupted

VALIDATOR = Draft202012Validator(SCHEMAS["report"]())


def verdicts(repository: Repository) -> dict[str, str]:
    """Return what a list shows, by name."""
    rows = [re.split(" {2,}", line) for line in repository.run("state", "list").out.splitlines() if "@" in line]
    return {row[1]: row[0].split()[0] for row in rows}


def test_a_round_is_recorded_and_attempts_of_apply_stay_as_they_are(repository: Repository) -> None:
    repository.declare("one", "two", environment="sandbox", tags=["ci"])
    assert repository.run("apply", "--yes").code == 0
    before = repository.recorded()
    repository.api.status["two"] = 500
    checked = repository.run("check", "--record", "--format", "json")
    assert checked.code == 6
    assert not list(VALIDATOR.iter_errors(checked.report))
    assert checked.connections["two"]["checks"]["class"] == "server_error"
    assert repository.recorded() == before
    exported = repository.run("state", "export")
    assert not list(VALIDATOR.iter_errors(exported.report))
    two = exported.connections["two"]
    assert [attempt["verdict"] for attempt in two["history"]] == ["ready"]
    assert two["checks"] == checked.connections["two"]["checks"]
    assert two["checks"]["counts"] == {"ready": 0, "failed": 0, "unknown": 1}
    assert two["checks"]["secrets"] == [{"key": "api_key", "reference": "env://ACME_KEY", "version": ""}]
    assert [hour["unknown"] for hour in two["checks"]["hours"]] == [1]
    one = exported.connections["one"]["checks"]
    assert one["hours"][0]["median_ms"] == one["hours"][0]["worst_ms"] == one["latency_ms"] > 0
    assert one["certificate_expires_at"] == before["one"]["latest"]["certificate_expires_at"]


def test_a_plan_doesn_t_depend_on_checks(repository: Repository) -> None:
    repository.declare("one")
    assert repository.run("apply", "--yes").code == 0
    repository.api.status["one"] = 401
    assert repository.run("check", "--record").code == 4
    assert repository.run("plan", "--detailed-exitcode").code == 0


def test_a_list_and_a_graph_show_the_later_one_of_attempt_and_check(repository: Repository) -> None:
    repository.declare("one")
    assert repository.run("apply", "--yes").code == 0
    repository.api.status["one"] = 401
    assert repository.run("check", "--record").code == 4
    assert verdicts(repository) == {"one": "failed"}
    assert '"one"]:::failed' in repository.run("graph").out
    with closing(open_checks(repository.state, repository.folder / ".connform")) as table:
        latest = table.histories()["one"].latest
        table.forget(["one"])
        table.record([latest._replace(at=latest.at - timedelta(hours=1))], keep=timedelta(days=30))
    assert verdicts(repository) == {"one": "ready"}
    assert '"one"]:::ready' in repository.run("graph").out


def test_a_connection_that_was_never_applied_is_shown_renamed_and_forgotten(repository: Repository) -> None:
    repository.declare("one", environment="sandbox", tags=["ci"])
    assert repository.run("check", "--record").code == 0
    listed = repository.run("state", "list", "--tag", "ci", "--format", "json")
    assert listed.connection["environment"] == "sandbox"
    assert "recorded" not in listed.connection
    for what in ("show", "history"):
        assert "1 ready, 0 failed, 0 unknown" in repository.run("state", what, "one").out
    assert repository.run("state", "mv", "one", "first").code == 0
    assert verdicts(repository).keys() == {"first"}
    assert repository.run("state", "rm", "first").code == 0
    assert repository.run("state", "show", "first").code == 64
    assert "no connection matches" in repository.run("state", "rm", "first").err


def test_apply_takes_checks_along_when_it_renames_and_removes(repository: Repository) -> None:
    repository.declare("old", "gone", "other")
    assert repository.run("apply", "--yes").code == 0
    assert repository.run("check", "--record").code == 0
    repository.connections["new"] = repository.connections.pop("old")
    repository.remove("gone")
    content = {"version": 1, "connections": repository.connections, "moved": {"old": "new"}}
    (repository.folder / "connections.yaml").write_text(json.dumps(content))
    applied = repository.run("apply", "--yes", "--force")
    assert applied.code == 0, applied.err
    exported = repository.run("state", "export").connections
    assert {name: one["checks"]["counts"]["ready"] for name, one in exported.items()} == {"new": 1, "other": 1}


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_round_records_what_was_looked_at(sqlite_repository: Repository, number: signal.Signals) -> None:
    repository = sqlite_repository
    repository.declare("first", "second", "third", timeouts={"read_s": 600, "total_s": 600})
    repository.api.silent = {"second"}
    process, out, err = interrupted(repository, "check", "--record", *ONE_AT_A_TIME, "--format", "json", number=number)
    assert (process.returncode, err) == (128 + number, "")
    assert [one["name"] for one in json.loads(out)["connections"] if "checks" in one] == ["first"]
    assert verdicts(repository) == {"first": "ready"}


@pytest.mark.usefixtures("default_signals")
def test_an_interruption_while_results_are_recorded_loses_none(sqlite_repository: Repository, database: str) -> None:
    repository = sqlite_repository
    repository.state = database
    repository.declare("one")
    assert repository.run("check", "--record").code == 0
    with psycopg.connect(database) as holder, psycopg.connect(database, autocommit=True) as looker:
        holder.execute("UPDATE connform_meta SET value = value WHERE name = 'checks'")
        with repository.start("check", "--record", "--format", "json") as process:
            first = _waiting(looker, process, [])
            process.send_signal(signal.SIGTERM)
            _waiting(looker, process, first)
            holder.commit()
            out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (143, "")
    (one,) = json.loads(out)["connections"]
    assert (one["verdict"], one["checks"]["counts"]["ready"]) == ("ready", 2)


def _waiting(looker: psycopg.Connection[Any], process: subprocess.Popen[str], before: list[Any]) -> list[Any]:
    """Wait until a session waits for a lock, other than `before`, and return it."""
    ends_at = time.monotonic() + PATIENCE_S
    sql = (
        "SELECT pid, query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while (found := looker.execute(sql).fetchall()) in ([], before):
        assert process.poll() is None
        assert time.monotonic() < ends_at
        time.sleep(0.01)
    return found


def test_what_can_t_be_recorded_does_not_hide_the_report(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare("one", "two")
    repository.api.status["two"] = 401
    (repository.folder / ".connform").write_text("in the way")
    text = repository.run("check", "--record", "one")
    assert text.code == 5
    assert "1 ready" in text.out
    assert "recorded" not in text.out
    assert text.err.startswith("error[store_unwritable]: results were not recorded: ")
    checked = repository.run("check", "--record", "--format", "json")
    assert checked.code == 1  # failures of two kinds
    assert not list(VALIDATOR.iter_errors(checked.report))
    assert {name: one["verdict"] for name, one in checked.connections.items()} == {"one": "ready", "two": "failed"}
    assert [one["class"] for one in checked.report["unrecorded"]] == ["store_unwritable"]


def test_one_folder_that_can_t_be_written_does_not_keep_others_from_being_recorded(
    sqlite_repository: Repository,
) -> None:
    repository = sqlite_repository
    repository.declare("one")
    other = repository.folder / "other"
    other.mkdir()
    file = other / "connections.yaml"
    file.write_text((repository.folder / "connections.yaml").read_text().replace('"one"', '"two"'))
    (other / ".connform").write_text("in the way")
    checked = repository.run("check", "--record", "-f", ".", "-f", "other", "--format", "json")
    assert checked.code == 5
    assert {name for name, one in checked.connections.items() if "checks" in one} == {"one"}
    assert str(other) in checked.report["unrecorded"][0]["message"]
    assert verdicts(repository).keys() == {"one"}


def test_the_database_of_another_repository_gets_no_checks(sqlite_repository: Repository, database: str) -> None:
    repository = sqlite_repository
    repository.state = database
    repository.declare("one")
    assert repository.run("apply", "--yes", "--repository", "theirs").code == 0
    checked = repository.run("check", "--record", "--repository", "ours")
    assert checked.code == 1
    assert "belongs to another repository" in checked.err
    with closing(open_checks(database, Path("unused"))) as table:
        assert table.histories() == {}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--record", "--simulate"), "--simulate asks none"),
        (("--keep", "3"), "nothing is recorded without --record"),
        (("--record", "--keep", "0"), "from 1 to 3650"),
        (("--record", "--keep", "9999"), "from 1 to 3650"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(
    sqlite_repository: Repository, argv: tuple[str, ...], message: str
) -> None:
    sqlite_repository.declare("one")
    refused = sqlite_repository.run("check", *argv)
    assert (refused.code, refused.out) == (64, "")
    assert message in refused.err
    assert not sqlite_repository.api.asked
    assert not (sqlite_repository.folder / ".connform").exists()


def test_checks_are_kept_as_long_as_is_said(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare("one")
    assert repository.run("check", "--record").code == 0
    with closing(sqlite3.connect(repository.folder / ".connform" / FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE connform_hours SET hour = hour - 49")
        for days, kept in (("3", 2), ("2", 1)):
            connection.execute("UPDATE connform_meta SET value = x'00' WHERE name = 'checks'")
            assert repository.run("check", "--record", "--keep", days).code == 0
            assert len(repository.run("state", "export").connection["checks"]["hours"]) == kept


def test_a_check_without_recording_leaves_no_state(sqlite_repository: Repository) -> None:
    sqlite_repository.declare("one")
    assert sqlite_repository.run("check").code == 0
    assert os.listdir(sqlite_repository.folder) == ["connections.yaml"]


def test_a_state_that_git_tracks_is_refused_before_anything_is_asked(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare("one")
    git = shutil.which("git")
    assert git is not None
    folder = repository.folder / ".connform"
    folder.mkdir(mode=0o700)
    (folder / "note").write_text("of somebody else")
    for argv in (["init", "-q"], ["add", "-f", ".connform/note"]):
        os.spawnv(os.P_WAIT, git, [git, "-C", str(repository.folder), *argv])
    refused = repository.run("check", "--record")
    assert (refused.code, refused.out) == (5, "")
    assert "is tracked by Git" in refused.err
    assert not repository.api.asked
