"""An apply that ends at any moment: its process is killed, its disk fills, its server dies. Nothing is lost, nothing invented.

`make long ARGS=kills` kills more often than the suite has time for.
"""

from __future__ import annotations

import math
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import pytest

from connform.database import open_state
from connform.database.state_table import StateTable
from connform.engine.changes.canonical import digest
from connform.engine.run.shard import SINGLE_SHARD
from tests.database.postgres import Postgres
from tests.end_to_end.running import PATIENCE_S
from tests.repetitions import repeated
from tests.state.conftest import Repository

KILLS = repeated(6, 200)
"""Over all kinds of stores and of work."""
CASES = 6
NAMES = tuple(f"team-{number:03}" for number in range(repeated(100, 200)))
SLOW = ("apply", "--yes", "--force", "--parallelism", "8")


class Work:
    """One kind of work on all connections of a repository, which can be begun anew."""

    def __init__(self, repository: Repository, states: StateTable) -> None:
        self.repository = repository
        self.states = states
        self._generation = 0
        self._stale: frozenset[str] = frozenset()

    def done(self) -> set[str]:
        """Return the connections that are as they shall be."""
        return {name for name, mark in self.states.summaries().items() if mark.digest not in self._stale}

    def prepare(self) -> None:
        """Let all of it be to be done."""
        self.repository.remove(*list(self.repository.connections))
        self._apply()
        self.repository.declare(*NAMES)

    def _apply(self) -> None:
        assert self.repository.run(*SLOW).code == 0


class Update(Work):
    def prepare(self) -> None:
        if len(self.states.summaries()) < len(NAMES):
            self.repository.declare(*NAMES)
            self._apply()
        self._generation += 1
        self._stale = frozenset(mark.digest for mark in self.states.summaries().values())
        self.repository.declare(*NAMES, owner=f"team-{self._generation}")


class Remove(Work):
    def prepare(self) -> None:
        self.repository.declare(*NAMES)
        self._apply()
        self.repository.remove(*NAMES)

    def done(self) -> set[str]:
        return set(NAMES) - self.states.summaries().keys()


@pytest.mark.parametrize("kind", [Work, Update, Remove], ids=["create", "update", "remove"])
def test_kill_9_at_random_moments(repository: Repository, kind: type[Work]) -> None:
    moments = random.Random()
    interrupted = kills = 0
    with closing(open_state(repository.state, repository.folder / ".connform")) as states:
        work = kind(repository, states)
        seen = set(NAMES)
        while kills < math.ceil(KILLS / CASES) or not interrupted:
            kills += 1
            assert kills < KILLS + 30, "no kill came in the middle: nothing was tested"
            if seen == set(NAMES):
                work.prepare()
                seen = set()
            before = repository.api.asked
            with repository.start(*SLOW) as process:
                enough = moments.randrange(len(seen), len(NAMES))  # the first: before there is anything to be seen
                ends_at = time.monotonic() + PATIENCE_S
                while len(work.done()) < enough and process.poll() is None and time.monotonic() < ends_at:
                    time.sleep(0.005)
                in_time = time.monotonic() < ends_at
                time.sleep(moments.uniform(0, 0.03 if enough else 0.4))
                process.kill()
            assert in_time, "it does not go on"
            assert process.returncode in {0, -signal.SIGKILL}, "it ended by itself, and not well"
            with states.lock_parts(SINGLE_SHARD.parts, 30):  # a server may still be busy with what it was sent
                done, asked = work.done(), repository.api.asked - before
            assert seen <= done, "nothing applied is forgotten"
            assert not asked.keys() & seen, "nothing applied is done again"
            assert done - seen <= asked.keys() if kind is not Remove else not asked, "nothing unapplied is claimed"
            assert all(digest(record.spec) == record.digest for record in states.read().values()), "records are whole"
            interrupted += 0 < len(done) < len(NAMES)
            seen = done
        print(f"{interrupted} of {kills} kills came in the middle")
        assert repository.run(*SLOW).code == 0
        assert work.done() == set(NAMES)


def test_the_server_of_the_state_dies_and_comes_back(
    sqlite_repository: Repository, postgres: Postgres, database: str
) -> None:
    repository = sqlite_repository
    repository.state = database
    repository.api.pause_s = 0.1
    repository.declare(*NAMES[:40])
    with repository.start("apply", "--yes", "--parallelism", "4", "--format", "json") as process:
        while sum(repository.api.asked.values()) < 12:
            time.sleep(0.02)
        postgres.stop()
        out, err = process.communicate(timeout=60)
    try:
        assert process.returncode == 5, err
        assert "store_unavailable" in out
        assert "PostgreSQL" in out
    finally:
        postgres.start()
    asked = repository.api.asked
    assert len(asked) < len(NAMES[:40]), "what can't be recorded isn't begun"
    recorded = repository.recorded()
    assert recorded
    assert recorded.keys() <= asked.keys()
    assert repository.run("apply", "--yes").code == 0
    assert repository.recorded().keys() == set(NAMES[:40])
    assert all((repository.api.asked - asked)[name] == 0 for name in recorded), "what was recorded was not done again"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_nothing_is_begun_on_a_disk_without_room(sqlite_repository: Repository, small_disk: Path) -> None:
    repository = sqlite_repository
    repository.state = f"sqlite://{small_disk}/state"
    repository.declare(*NAMES)
    refused = repository.run("apply", "--yes")
    assert refused.code == 5, refused.err
    assert refused.err.startswith("error[store_unwritable]: ")
    assert not repository.api.asked
    assert repository.recorded() == {}


def test_nothing_is_begun_by_a_role_that_may_only_read(repository: Repository, database: str) -> None:
    import psycopg

    if not repository.state:
        pytest.skip("SQLite has no roles")
    repository.declare("a")
    assert repository.run("apply", "--yes").code == 0
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("ALTER DATABASE states SET default_transaction_read_only = on")
    repository.api.forget()
    repository.declare("a", "b", tags=["x"])
    refused = repository.run("apply", "--yes")
    assert refused.code == 5, refused.err
    assert refused.err.startswith("error[store_unwritable]: ")
    assert not repository.api.asked


def test_a_disk_that_fills_up_meanwhile_has_room_for_what_was_begun(
    sqlite_repository: Repository, small_disk: Path
) -> None:
    repository = sqlite_repository
    repository.state = f"sqlite://{small_disk}/state"
    repository.declare(*NAMES)
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)

    def fill() -> None:
        while len(repository.api.asked) < 10:
            time.sleep(0.01)
        with suppress(OSError), open(small_disk / "filling", "wb", buffering=0) as file:
            while True:
                file.write(bytes(16 * 1024))

    filling = Thread(target=fill)
    filling.start()
    repository.api.pause_s = 0.05
    filled = repository.run("apply", "--yes", "--parallelism", "4")
    filling.join()
    assert filled.code == 0, "the room for the records was taken before the first check"
    assert repository.recorded().keys() == set(NAMES)
