"""A large state that is copied there and back, and whose key is changed, by processes that are killed at random moments.

Few records and no kills in the suite, where test_copy.py kills at each statement; `make long ARGS=copy` has 10,000 records, 1,000 grants, and 20 kills of either command.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_state
from connform.database.cipher import new_key
from connform.errors import ConnectionFailed
from tests.canary import assert_no_canary
from tests.end_to_end.running import AS_INSTALLED, COMMAND, environment
from tests.repetitions import given, repeated
from tests.state.copies import Place

NAMES = [f"team-{number:05}" for number in range(given("records", 12))]
GRANTED = NAMES[: given("grants", 4)]
KILLS = given("kills", 0)
MOST_TRIES = 5 * KILLS
"""The most commands to begin for them: some end before they are killed."""
KEYS = ("CONNFORM_ONE_KEY", "CONNFORM_OTHER_KEY")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, new_key())


@pytest.fixture
def here(tmp_path: Path) -> Place:
    place = Place(f"sqlite://{tmp_path}/state")
    place.fill(NAMES, GRANTED)
    return place


class Work:
    """A command of connform that runs by itself, and can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.latest_s = 0.0
        """How long it took when it was last not killed."""

    def start(self, place: Place, *argv: str) -> subprocess.Popen[bytes]:
        env = {"CONNFORM_STATE": place.url, **{name: os.environ[name] for name in KEYS}, **AS_INSTALLED}
        command = [COMMAND, "state", *argv, *place.options]
        return subprocess.Popen(
            command, cwd=self._folder, env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def finish(self, place: Place, *argv: str) -> None:
        began_at = time.monotonic()
        with self.start(place, *argv) as process:
            out, err = process.communicate()
        assert_no_canary(out, where="what it prints")
        assert (process.returncode, err) == (0, b"")
        self.latest_s = time.monotonic() - began_at

    def kill(self, place: Place, *argv: str) -> bool:
        """Kill it at a random moment; return whether it was still running."""
        with self.start(place, *argv) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(random.uniform(0, self.latest_s))
            process.kill()
            process.communicate()
        return process.returncode < 0


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


@pytest.fixture
def password(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the server as a command line may hold it."""
    before, _, host = database.rpartition("@")
    user, _, password = before.rpartition(":")
    monkeypatch.setitem(AS_INSTALLED, "PGPASSWORD", password)
    return f"{user}@{host}"


def to(place: Place, url: str) -> tuple[str, ...]:
    return ("copy", "--to", url, *(["--to-key", f"env://{place.key_variable}"] if place.key_variable else []))


def wait_for_locks(place: Place) -> None:
    """A server may still be ending the session of a process that was killed."""
    with closing(open_state(place.url, Path("/nowhere"))) as states, states.lock_parts(["00"], 30):
        pass


def test_there_and_back_and_killed_on_the_way(here: Place, database: str, password: str, work: Work) -> None:
    server, before = Place(database, KEYS[0]), here.content()
    ways = [(here, server, to(server, password)), (server, here, to(here, here.url))]
    for source, target, command in ways:
        began_at = time.monotonic()
        work.finish(source, *command)
        print(
            f"{len(NAMES)} records, {len(GRANTED)} grants to {target.url.partition(':')[0]}: {time.monotonic() - began_at:.2f} s"
        )
        assert target.content() == before
    print(f"at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MiB of memory")
    ends: Counter[str] = Counter()
    for number in range(MOST_TRIES):
        if ends.total() == KILLS:
            break
        source, target, command = ways[number % 2]
        was_running = work.kill(source, *command)
        wait_for_locks(source)
        in_use = (source.is_in_use(), target.is_in_use())
        if was_running:
            ends[{(True, False): "before", (False, False): "between", (False, True): "after"}[in_use]] += 1
        assert source.content() == before, "whatever happens, the source keeps what it holds"
        assert target.content() == before or in_use != (False, True)
        work.finish(source, *command)
        assert (target.content(), source.is_in_use(), target.is_in_use()) == (before, False, True)
        assert was_running or in_use == (False, True)
    assert ends.total() == KILLS
    print(f"{KILLS} kills of a running copy, beside its commits: {dict(ends)}")


def _opening(places: list[Place]) -> Place:
    """Return the one whose key is that of the database."""
    found = []
    for place in places:
        with place.opened() as table, suppress(ConnectionFailed):
            table.check_key(is_given=True)
            found.append(place)
    (one,) = found
    return one


def _rotations(places: list[Place], current: Place) -> tuple[str, ...]:
    others = [place for place in places if place != current]
    return ("rotate-key", *(["--new-key", f"env://{others[0].key_variable}"] if others else []))


@pytest.mark.parametrize("kind", repeated(["sqlite"], ["sqlite", "postgresql"]))
def test_a_key_that_is_changed_and_killed_on_the_way(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, work: Work
) -> None:
    url = request.getfixturevalue("database") if kind == "postgresql" else f"sqlite://{tmp_path}/rotated"
    places = [Place(url, key) for key in (KEYS if kind == "postgresql" else ("",))]
    places[0].fill(NAMES, GRANTED)
    before: Any = places[0].content()
    work.finish(places[0], *_rotations(places, places[0]))
    print(f"{kind}: {len(GRANTED)} grants sealed anew in {work.latest_s:.2f} s, start of the process included")
    kills = 0
    for _ in range(MOST_TRIES):
        if kills == KILLS:
            break
        current = _opening(places)
        kills += work.kill(current, *_rotations(places, current))
        wait_for_locks(current)
        assert _opening(places).content() == before
    assert kills == KILLS
    work.finish(current := _opening(places), *_rotations(places, current))
    assert _opening(places).content() == before
    print(f"{kind}: {kills} kills of a running rotation; every grant was readable")
