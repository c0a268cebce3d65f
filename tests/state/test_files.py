"""Which file declares a connection: what moves is not removed, and what this machine doesn't have is not gone."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.running import Run
from tests.state.conftest import Repository
from tests.state.test_story import actions

BOTH = ("-f", "one.yaml", "-f", "two.yaml")


def put(repository: Repository, file: str, *names: str) -> None:
    """Declare connections in a file."""
    content = {"version": 1, "connections": {name: repository.connections[name] for name in names}}
    (repository.folder / file).parent.mkdir(exist_ok=True)
    (repository.folder / file).write_text(json.dumps(content))


def planned(repository: Repository, *argv: str) -> dict[str, str]:
    run = repository.run("plan", "--format", "json", *argv)
    assert run.code == 0, run.out
    return actions(run)


@pytest.fixture
def two(repository: Repository) -> Repository:
    """Two files, both of them applied."""
    (repository.folder / ".git").mkdir()
    repository.declare("a1", "a2", "b1")
    (repository.folder / "connections.yaml").unlink()
    put(repository, "one.yaml", "a1", "a2")
    put(repository, "two.yaml", "b1")
    assert repository.run("apply", "--yes", *BOTH).code == 0
    return repository


def moved(run: Run) -> dict[str, list[dict[str, str]]]:
    return {name: one["changes"] for name, one in run.connections.items() if one["action"] == "update"}


def test_a_file_that_was_renamed_takes_its_connections_along(two: Repository) -> None:
    (two.folder / "one.yaml").rename(two.folder / "uno.yaml")
    files = ("-f", "uno.yaml", "-f", "two.yaml")
    change = [{"pointer": "/file", "before": "one.yaml", "after": "uno.yaml"}]
    assert moved(two.run("plan", *files, "--format", "json")) == {"a1": change, "a2": change}
    assert "file  one.yaml → uno.yaml" in two.run("plan", *files).out
    assert two.run("apply", "--yes", *files).code == 0
    assert planned(two, *files) == planned(two, "-f", "two.yaml") == planned(two, "-f", ".") == {}
    assert {name: one["file"] for name, one in two.recorded().items()} == {
        "a1": "uno.yaml",
        "a2": "uno.yaml",
        "b1": "two.yaml",
    }


def test_a_connection_that_moved_to_another_file_is_not_removed_by_the_old_one(two: Repository) -> None:
    put(two, "one.yaml", "a2")
    put(two, "two.yaml", "a1", "b1")
    assert planned(two, *BOTH) == {"a1": "update"}
    assert two.run("apply", "--yes", *BOTH).code == 0
    assert planned(two, "-f", "one.yaml") == planned(two, *BOTH) == {}
    put(two, "two.yaml", "b1")
    assert planned(two, "-f", "one.yaml") == {}
    assert planned(two, "-f", "two.yaml") == {"a1": "remove"}


def test_a_file_that_this_machine_does_not_have_is_not_gone(two: Repository) -> None:
    """A sparse checkout, or a container with one manifest."""
    (two.folder / "two.yaml").unlink()
    assert planned(two, "-f", "one.yaml") == {}
    (two.folder / "one.yaml").rename(two.folder / "connections.yaml")
    assert planned(two) == {"a1": "update", "a2": "update"}, "moved, and nothing removed"
    assert planned(two, "-f", ".")["b1"] == "remove", "its folder was read"


@pytest.mark.parametrize("argv", [(), ("-f", "connections")])
def test_a_file_that_is_missing_from_a_folder_that_was_read_is_gone(
    repository: Repository, argv: tuple[str, ...]
) -> None:
    repository.declare("a1", "b1")
    (repository.folder / "connections.yaml").unlink()
    (repository.folder / ".git").mkdir()
    put(repository, "connections/one.yaml", "a1")
    put(repository, "connections/two.yaml", "b1")
    assert repository.run("apply", "--yes").code == 0
    (repository.folder / "connections" / "two.yaml").rename(repository.folder / "connections" / "two.txt")
    assert planned(repository, *argv) == {"b1": "remove"}
    assert planned(repository, "-f", "connections/one.yaml") == {}
    (repository.folder / "connections" / "two.yaml").symlink_to("elsewhere")
    refused = repository.run("plan", *argv)
    assert (refused.code, "file-not-found" in refused.out) == (1, True), "a link that leads nowhere from here"


def test_whole_files_move_without_force(repository: Repository) -> None:
    (repository.folder / ".git").mkdir()
    repository.declare(*(f"team-{number:02}" for number in range(12)))
    assert repository.run("apply", "--yes").code == 0
    (repository.folder / "connections.yaml").rename(repository.folder / "all.yaml")
    assert repository.run("apply", "--yes", "-f", "all.yaml").code == 0
    assert planned(repository, "-f", "all.yaml") == {}


def test_standard_input_takes_no_connection_from_its_file(two: Repository) -> None:
    from tests.end_to_end.running import run

    text = (two.folder / "one.yaml").read_text()
    piped = run("plan", "-f", "-", "--format", "json", cwd=two.folder, env=two.environment, stdin=text)
    assert (piped.code, actions(piped)) == (0, {})


def test_another_folder_has_another_state_by_default(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    (repository.folder / ".git").mkdir()
    repository.declare("a1", "a2", "b1")
    (repository.folder / "connections.yaml").unlink()
    put(repository, "a/connections.yaml", "a1", "a2")
    put(repository, "b/connections.yaml", "b1")
    orders: list[tuple[str, ...]] = [("-f", first, "-f", second) for first, second in (("a", "b"), ("b", "a"))]
    assert repository.run("apply", "--yes", *orders[0]).code == 0
    put(repository, "a/connections.yaml", "a2")
    put(repository, "b/connections.yaml", "a1", "b1")
    for files in orders:
        assert planned(repository, *files) == {"a1": "create"}
    assert repository.run("apply", "--yes", *orders[0]).code == 0
    for files in (*orders, ("-f", "b")):
        assert planned(repository, *files) == {}
        assert repository.run("plan", *files, "--refresh", "--detailed-exitcode").code == 0
    assert planned(repository, "-f", "a") == {"a1": "remove"}
