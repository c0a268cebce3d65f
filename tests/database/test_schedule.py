"""The schedule that replicas share, in each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time

import pytest

from connform.database import open_schedule
from connform.database import schedule_table as module
from connform.database.schedule_table import Pause, ScheduleTable

NAMES = [f"connection-{number}" for number in range(40)]


@pytest.fixture(params=["sqlite", "postgresql"])
def replica(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], ScheduleTable]]:
    """Returns another replica on the same database at each call."""
    url = request.getfixturevalue("database") if request.param == "postgresql" else ""
    opened: list[ScheduleTable] = []

    def another() -> ScheduleTable:
        opened.append(open_schedule(url, tmp_path / ".connform", f"replica-{len(opened)}"))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


@pytest.fixture(autouse=True)
def no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be due at once."""
    monkeypatch.setattr(module, "_MAX_SPREAD_S", 0.0)


def test_each_connection_is_claimed_by_one_replica(replica: Callable[[], ScheduleTable]) -> None:
    replicas = [replica() for _ in range(4)]
    replicas[0].add(NAMES, 60)

    def claim_all(table: ScheduleTable) -> list[str]:
        claimed: list[str] = []
        while names := table.claim(NAMES, 3, 60).names:
            assert len(names) <= 3
            claimed += names
        return claimed

    with ThreadPoolExecutor(4) as threads:
        claimed = [name for names in threads.map(claim_all, replicas) for name in names]
    assert sorted(claimed) == sorted(NAMES)


def test_what_a_dead_replica_held_is_free_when_its_lease_ends(replica: Callable[[], ScheduleTable]) -> None:
    dead, living = replica(), replica()
    dead.add(NAMES, 60)
    assert sorted(dead.claim(NAMES, 100, 0.3).names) == sorted(NAMES)
    names, next_s = living.claim(NAMES, 100, 60)
    assert (names, 0 < next_s <= 0.3) == ([], True)
    while not names:
        names = living.claim(NAMES, 100, 60).names
    assert sorted(names) == sorted(NAMES)
    dead.done(dict.fromkeys(NAMES, Pause(0.1)))  # it comes to life again, and has lost its claims
    assert replica().claim(NAMES, 100, 60).names == []


def test_claims_that_are_given_up_are_free_at_once(replica: Callable[[], ScheduleTable]) -> None:
    leaving, staying = replica(), replica()
    leaving.add(NAMES, 60)
    leaving.claim(NAMES, 100, 60)
    leaving.release()
    assert len(staying.claim(NAMES, 100, 60).names) == len(NAMES)


def test_a_checked_connection_is_due_an_interval_after_it_was_due(replica: Callable[[], ScheduleTable]) -> None:
    table = replica()
    table.add(["a", "b", "c"], 60)
    before = table.due_times()
    table.claim(["a", "b"], 100, 60)
    table.done({"a": Pause(50.0), "b": Pause(50.0, 3000.0)})
    after = table.due_times()
    assert after["a"] == pytest.approx(before["a"] + 50)
    assert after["b"] == pytest.approx(time() + 3000, abs=30)
    assert after["c"] == before["c"]


def test_what_is_long_overdue_is_checked_once_and_not_again_and_again(replica: Callable[[], ScheduleTable]) -> None:
    table = replica()
    table.add(["a"], 1000)
    table.claim(["a"], 1, 60)
    table.done({"a": Pause(-500.0)})
    table.claim(["a"], 1, 60)
    table.done({"a": Pause(100.0)})
    assert table.due_times()["a"] == pytest.approx(time() + 100, abs=30)


def test_a_shorter_interval_counts_at_once_but_not_where_a_server_asked_to_wait(
    replica: Callable[[], ScheduleTable],
) -> None:
    table = replica()
    table.add(["a", "b"], 60)
    table.claim(["a", "b"], 100, 60)
    table.done({"a": Pause(3000.0), "b": Pause(60.0, 3000.0)})
    table.add(["a", "b"], 60, slowed=["b"])
    assert table.claim(["a", "b"], 100, 60).names == ["a"]


def test_only_named_connections_are_claimed_and_old_ones_are_forgotten(
    replica: Callable[[], ScheduleTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = replica()
    table.add(["mine", "another's"], 60)
    assert table.claim(["mine", "unheard-of"], 100, 60).names == ["mine"]
    monkeypatch.setattr(module, "_KEPT_S", -10.0)
    table.add(["new"], 60)
    assert set(table.due_times()) == {"mine", "new"}
