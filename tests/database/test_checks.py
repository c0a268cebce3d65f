"""Recorded checks: the latest, changes of verdict and hourly figures, in every kind of database."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from threading import Thread

import psycopg
import pytest

from connform.database import open_checks, open_grants, open_state
from connform.database.check_table import CheckTable
from connform.database.hour_rows import MAX_LATENCIES
from connform.database.renaming import rename
from connform.database.sqlite import FILE
from connform.errors import ConnectionFailed
from connform.recorded import Actor, UsedSecret
from connform.recorded_checks import RecordedCheck
from connform.secret import Secret
from tests.database.conftest import Kind

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KEEP = timedelta(days=30)


def check(
    name: str = "acme", minutes: float = 0, verdict: str = "ready", fault: str = "", latency_ms: float | None = 20.0
) -> RecordedCheck:
    return RecordedCheck(
        connection=name,
        at=BEGIN + timedelta(minutes=minutes),
        by=Actor("test", "localhost", "job 7"),
        provider="http",
        environment="test",
        region="eu",
        base_url="https://acme.example",
        auth_method="api_key",
        tags=("ci", "nightly"),
        verdict=verdict,
        stage="http" if fault else "",
        fault=fault,
        message="it said \0 \ud800 no" if fault else "",
        hint="ask it" if fault else "",
        stages=({"name": "dns", "status": "ok", "elapsed_ms": 1.5},),
        latency_ms=latency_ms,
        certificate_expires_at="2026-05-01T00:00:00Z",
        secrets=(UsedSecret("api_key", "env://KEY", "3"),),
    )


@pytest.fixture
def another(kind: Kind) -> Iterator[Callable[[], CheckTable]]:
    """Opens the database as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_checks(kind.url, kind.folder)))


@pytest.fixture
def table(another: Callable[[], CheckTable]) -> CheckTable:
    return another()


def test_reading_an_untouched_database_finds_nothing_and_leaves_no_trace(table: CheckTable, kind: Kind) -> None:
    assert table.histories() == {}
    table.forget(["acme"])
    table.record([], keep=KEEP)
    assert not kind.folder.exists()


def test_what_was_recorded_is_read_by_another_process(another: Callable[[], CheckTable]) -> None:
    checks = [check("acme", 0), check("other", 1), check("acme", 5, "failed", "http_refused", None)]
    another().record(checks, keep=KEEP)
    found = another().histories()
    assert list(found) == ["acme", "other"]
    assert found["acme"].latest == checks[2]
    assert found["acme"].since == checks[2].at
    assert found["acme"].counts == {"ready": 1, "failed": 1, "unknown": 0}
    assert [tuple(change) for change in found["acme"].changes] == [
        (checks[0].at, "ready", ""),
        (checks[2].at, "failed", "http_refused"),
    ]
    assert [tuple(hour) for hour in found["acme"].hours] == [(BEGIN, 2, 1, 0, 20.0, 20.0)]
    assert list(another().histories({"other"})) == ["other"]
    assert another().histories(with_hours=False)["acme"].hours == ()


def test_since_when_and_changes_go_by_the_verdict_and_by_the_fault(table: CheckTable) -> None:
    results = [("ready", ""), ("ready", ""), ("failed", "tls_expired"), ("failed", "dns_failed"), ("ready", "")]
    for minute, (verdict, fault) in enumerate(results):
        table.record([check("acme", minute, verdict, fault)], keep=KEEP)
    found = table.histories()["acme"]
    assert [(change.at.minute, change.fault) for change in found.changes] == [
        (0, ""),
        (2, "tls_expired"),
        (3, "dns_failed"),
        (4, ""),
    ]
    assert found.since.minute == 4
    table.record([check("acme", 5, "failed", "dns_failed"), check("acme", 6, "failed", "tls_expired")], keep=KEEP)
    assert table.histories()["acme"].since.minute == 5


def test_a_late_check_counts_and_does_not_replace_a_later_one(table: CheckTable) -> None:
    table.record([check("acme", 10)], keep=KEEP)
    table.record([check("acme", 5, "failed", "dns_failed")], keep=KEEP)
    found = table.histories()["acme"]
    assert (found.latest.verdict, found.counts["failed"], len(found.changes)) == ("ready", 1, 1)
    assert (found.hours[0].checks, found.hours[0].failed) == (2, 1)


@pytest.mark.parametrize("number", [1, 2, 7, MAX_LATENCIES])
def test_the_median_of_an_hour_is_exact_while_its_checks_are_few(table: CheckTable, number: int) -> None:
    latencies = [(index * 37 % 101) + 0.5 for index in range(number)]
    for index, latency in enumerate(latencies):
        table.record([check("acme", index / 2, latency_ms=latency)], keep=KEEP)
    (hour,) = table.histories()["acme"].hours
    assert (hour.checks, hour.median_ms, hour.worst_ms) == (number, median(latencies), max(latencies))


def test_the_latencies_of_an_hour_are_bounded(table: CheckTable, kind: Kind) -> None:
    latencies = [float(index * 37 % 101) for index in range(3000)]
    checks = [check("acme", index / 60, latency_ms=latency) for index, latency in enumerate(latencies)]
    table.record([*checks, check("acme", 59, "unknown", "http_busy", None)], keep=KEEP)
    (hour,) = table.histories()["acme"].hours
    assert (hour.checks, hour.unknown, hour.worst_ms) == (3001, 1, 100.0)
    assert hour.median_ms is not None
    assert abs(hour.median_ms - median(latencies)) < 5
    with table._database.reading() as execute:
        assert execute is not None
        ((stored,),) = execute("SELECT latencies FROM connform_hours")
    assert stored.count(",") < MAX_LATENCIES


def test_an_hour_without_an_answer_has_no_median(table: CheckTable) -> None:
    table.record([check("acme", 0, "failed", "dns_failed", None)], keep=KEEP)
    (hour,) = table.histories()["acme"].hours
    assert (hour.median_ms, hour.worst_ms) == (None, None)


def test_only_the_latest_are_read_where_few_are_asked_for(table: CheckTable) -> None:
    verdicts = [("ready", ""), ("failed", "dns_failed")] * 5
    names = ("acme", "other")
    table.record([check(name, 60 * n, *one) for n, one in enumerate(verdicts) for name in names], keep=KEEP)
    for found in table.histories(at_most=3).values():
        assert [change.at.hour for change in found.changes] == [7, 8, 9]
        assert [hour.hour.hour for hour in found.hours] == [7, 8, 9]
    assert len(table.histories(at_most=100)["acme"].hours) == 10


def test_what_is_older_than_kept_is_deleted_and_the_counts_stay(table: CheckTable) -> None:
    table.record([check("acme"), check("gone")], keep=KEEP)
    table.record([check("acme", 60, "failed", "dns_failed")], keep=KEEP)
    table.record([check("acme", 60 * 24 * 30 + 59, "failed", "dns_failed")], keep=KEEP)
    found = table.histories()
    assert list(found) == ["acme"], "nobody has checked the other one for so long"
    assert found["acme"].counts == {"ready": 1, "failed": 2, "unknown": 0}
    assert found["acme"].since == BEGIN + timedelta(hours=1)
    assert [change.verdict for change in found["acme"].changes] == ["failed"]
    assert [hour.hour for hour in found["acme"].hours] == [
        BEGIN,
        BEGIN + timedelta(hours=1),
        BEGIN + timedelta(days=30),
    ]


def test_a_check_that_is_recorded_again_counts_once(table: CheckTable) -> None:
    """As after an interruption, or a commit whose answer was lost."""
    for _ in range(2):
        table.record([check("acme", 5), check("other", 6)], keep=KEEP)
    for found in table.histories().values():
        assert (found.counts["ready"], found.hours[0].checks) == (1, 1)


def test_processes_that_record_the_same_connections_lose_no_check(another: Callable[[], CheckTable]) -> None:
    names = [f"acme-{number:02}" for number in range(20)]
    tables = [another() for _ in range(4)]

    def record(number: int) -> None:
        for turn in range(5):
            minute = number + 4 * turn
            tables[number].record([check(name, minute) for name in (names, names[::-1])[number % 2]], keep=KEEP)

    threads = [Thread(target=record, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for found in another().histories().values():
        assert (found.counts["ready"], found.hours[0].checks, found.latest.at.minute) == (20, 20, 19)


def test_a_batch_of_thousands_is_recorded_as_a_whole(table: CheckTable) -> None:
    table.record([check(f"acme-{number}", minute) for number in range(333) for minute in (0, 61)], keep=KEEP)
    found = table.histories()
    assert len(found) == 333
    assert {len(one.hours) for one in found.values()} == {2}


def test_forgetting_deletes_a_connection_s_checks_alone(table: CheckTable) -> None:
    table.record([check("acme"), check("other")], keep=KEEP)
    table.forget(["acme", "nobody"])
    assert list(table.histories()) == ["other"]
    table.record([check("acme", 5)], keep=KEEP)
    assert [len(part) for part in table.histories()["acme"][3:]] == [1, 1]


def test_a_removed_connection_s_checks_are_removed(table: CheckTable, kind: Kind) -> None:
    table.record([check("acme"), check("other")], keep=KEEP)
    with closing(open_state(kind.url, kind.folder)) as states, states.lock_parts(["00"], 5) as changes:
        changes.write((), ["acme"])
    assert list(table.histories()) == ["other"]


@pytest.mark.parametrize("is_there", [False, True], ids=["unknown", "checked"])
def test_a_renamed_connection_takes_its_checks_along(table: CheckTable, kind: Kind, *, is_there: bool) -> None:
    table.record([check("old", 0, "failed", "dns_failed"), check("old", 5)], keep=KEEP)
    if is_there:
        table.record([check("new", 65)], keep=KEEP)
    key = Secret(kind.key)
    with (
        closing(open_state(kind.url, kind.folder)) as states,
        closing(open_grants(kind.url, kind.folder, lambda: key)) as grants,
        states.lock_parts(["00"], 5) as changes,
    ):
        rename(changes, grants, "old", "new")
    found = table.histories()
    assert list(found) == ["new"]
    assert found["new"].latest == check("new", 65 if is_there else 5)
    assert [change.at for change in found["new"].changes][:2] == [BEGIN, BEGIN + timedelta(minutes=5)]
    assert [hour.checks for hour in found["new"].hours] == [2] + [1] * is_there


def test_reading_an_older_database_leaves_it_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / ".connform"
    folder.mkdir(mode=0o700)
    shutil.copy(Path(__file__).parent / "versions" / "5.sqlite3", folder / FILE)
    (folder / FILE).chmod(0o600)
    before = (folder / FILE).read_bytes()
    with closing(open_checks("", folder)) as table:
        assert table.histories() == {}
        table.forget(["acme"])
        assert (folder / FILE).read_bytes() == before
        table.record([check("acme")], keep=KEEP)
        assert list(table.histories()) == ["acme"]


def test_reading_an_older_server_leaves_it_as_it_is(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as server:
        server.execute((Path(__file__).parent / "versions" / "5.postgresql.sql").read_bytes())
        version = "SELECT value FROM connform_meta WHERE name = 'version'"
        with closing(open_checks(database, Path("unused"))) as table:
            assert table.histories() == {}
            table.forget(["acme"])
            assert server.execute(version).fetchall() == [(b"5",)]
            table.record([check("acme")], keep=KEEP)
            assert list(table.histories()) == ["acme"]


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("connform_checks", "latest = '{}'"),
        ("connform_checks", "latest = replace(latest, '\"at\": ', '\"at\": 9e99')"),
        ("connform_checks", "latest = replace(latest, '\"ready\"', '\"best\"')"),
        ("connform_checks", 'latest = replace(latest, \'"message": ""\', \'"message": 7\')'),
        ("connform_checks", "since = 9e99"),
        ("connform_hours", "latencies = '[\"x\", 1]'"),
        ("connform_verdicts", "at = 9e99"),
        ("connform_verdicts", "verdict = 'best'"),
    ],
)
def test_a_row_that_somebody_changed_is_named(tmp_path: Path, where: str, what: str) -> None:
    folder = tmp_path / ".connform"
    with closing(open_checks("", folder)) as table:
        table.record([check("acme")], keep=KEEP)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.execute(f"UPDATE {where} SET {what}")
    with (
        closing(open_checks("", folder)) as table,
        pytest.raises(ConnectionFailed, match="acme can't be read") as caught,
    ):
        table.histories()
    assert caught.value.fault.name == "store_corrupt"


def test_a_process_that_writes_for_long_does_not_reach_the_limit_of_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite counts what a statement does over all of its executions, if it is kept for the next one."""
    monkeypatch.setattr("connform.database.sqlite_trust._FIXED_WORK", 5_000)
    with (
        closing(open_state("", tmp_path / ".connform")) as states,
        states.lock_parts(["00"], 5) as changes,
        changes.writing() as execute,
    ):
        for _ in range(10_000):
            execute("SELECT 1 FROM connform_meta WHERE name = ?", ("x",))
