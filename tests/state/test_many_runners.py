"""Many runs at once on one state: what they leave behind equals what one leaves, and each connection is applied once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connform.engine.run.shard import PARTS, Shard
from tests.repetitions import repeated
from tests.state.conftest import Repository

RUNS = repeated(3, 8)
"""At once."""
NAMES = tuple(f"team-{number:03}" for number in range(repeated(24, 64)))


def facts(repository: Repository) -> dict[str, tuple[Any, ...]]:
    """Return what of the state is the same whoever wrote it."""
    return {
        name: (one["file"], one["digest"], one["specification"], one["latest"]["verdict"], one["latest"]["base_url"])
        for name, one in repository.recorded().items()
    }


def test_many_runs_at_once_equal_one(repository: Repository) -> None:
    """Creations, then all at once: what is updated, removed, created, and left alone."""
    shared = repository.state

    def alone(*argv: str) -> dict[str, tuple[Any, ...]]:
        repository.state = f"sqlite://{repository.folder}/alone"
        assert repository.run("apply", "--yes", *argv).code == 0
        found, repository.state = facts(repository), shared
        repository.api.forget()
        return found

    def together(*argv: str) -> dict[str, tuple[Any, ...]]:
        running = [repository.start("apply", "--yes", *argv) for _ in range(RUNS)]
        ends = [(process.communicate(timeout=120), process.returncode) for process in running]
        assert [code for _, code in ends] == [0] * RUNS, ends
        return facts(repository)

    repository.declare(*NAMES)
    expected = alone()
    assert together() == expected
    assert repository.api.asked == dict.fromkeys(NAMES, 1), "neither lost nor repeated"

    updated, removed, created = NAMES[:10], NAMES[10:20], ("new-a", "new-b")
    repository.declare(*updated, owner="payments")
    repository.remove(*removed)
    repository.declare(*created)
    expected = alone("--force")
    assert expected.keys() == {*NAMES, *created} - set(removed)
    assert together("--force") == expected
    assert repository.api.asked == dict.fromkeys((*updated, *created), 1), "neither lost nor repeated"


def test_shards_of_one_plan_run_side_by_side(repository: Repository) -> None:
    repository.declare(*NAMES)
    repository.run("plan", "--out", "plan.json")
    running = [repository.start("apply", "--plan", "plan.json", "--shard", f"{number}/4") for number in range(1, 5)]
    ends = [(process.communicate(timeout=120), process.returncode) for process in running]
    assert [code for _, code in ends] == [0] * 4, ends
    assert repository.api.asked == dict.fromkeys(NAMES, 1)
    assert repository.recorded().keys() == set(NAMES)


def test_two_states_are_locked_in_one_order(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    files = []
    for team in ("east", "west"):
        (repository.folder / team).mkdir()
        repository.connections.clear()
        repository.declare(*(f"{team}-{number}" for number in range(8)))
        files.append((repository.folder / "connections.yaml").rename(repository.folder / team / "connections.yaml"))
    running = [
        repository.start("apply", "--yes", "--lock-timeout", "50", "-f", files[one], "-f", files[1 - one])
        for one in (0, 1) * 3
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in running]
    assert [code for _, code in ends] == [0] * 6, ends
    assert set(repository.api.asked.values()) == {1}
    assert len(repository.api.asked) == 16


@pytest.mark.parametrize("total", [1, 3, 7, PARTS])
def test_every_connection_is_in_one_shard(total: int) -> None:
    shards = [Shard(number, total) for number in range(1, total + 1)]
    assert all(sum(shard.has(name) for shard in shards) == 1 for name in NAMES)
    assert sorted(part for shard in shards for part in shard.parts) == sorted(Shard().parts)


def test_who_waits_in_vain_is_told_for_whom(repository: Repository) -> None:
    repository.declare("one")
    repository.api.pause_s = 30
    with repository.start("apply", "--yes") as holder:
        while not repository.api.asked:
            time.sleep(0.02)
        waiting = repository.run("apply", "--yes", "--lock-timeout", "0.3")
        assert waiting.code == 5
        assert "store_locked" in waiting.err
        assert f":{holder.pid} has held it since 20" in waiting.err
        assert repository.run("state", "list").code == 0, "reading takes no lock"
        assert repository.run("plan").code == 0
        holder.kill()
    repository.api.pause_s = 0
    assert repository.run("apply", "--yes", "--lock-timeout", "5").code == 0, "the lock of a dead process is free"


@pytest.mark.parametrize(("saved", "given"), [("1/4", ""), ("1/4", "1/4"), ("1/4", "5/8"), ("", "2/4")])
def test_a_part_of_a_saved_shard_is_applied(sqlite_repository: Repository, saved: str, given: str) -> None:
    repository = sqlite_repository
    repository.declare(*NAMES)
    assert repository.run("plan", "--out", "plan.json", *(["--shard", saved] if saved else [])).code == 0
    applied = repository.run("apply", "--plan", "plan.json", *(["--shard", given] if given else []))
    assert applied.code == 0, applied.err
    number, total = map(int, (given or saved).split("/"))
    assert repository.recorded().keys() == {name for name in NAMES if Shard(number, total).has(name)}


@pytest.mark.parametrize("given", ["2/4", "2/8", "1/2", "1/3"])
def test_a_shard_that_the_saved_plan_is_not_about_is_said_to_be_one(sqlite_repository: Repository, given: str) -> None:
    repository = sqlite_repository
    repository.declare(*NAMES)
    assert repository.run("plan", "--out", "plan.json", "--shard", "1/4").code == 0
    refused = repository.run("apply", "--plan", "plan.json", "--shard", given)
    assert refused.code == 64
    assert "that of shard 1/4" in refused.err
    assert repository.recorded() == {}
