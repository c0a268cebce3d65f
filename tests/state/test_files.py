"""Which file declares a connection: what moves is not removed, and what this machine doesn't have is not gone."""

from __future__ import annotations

import json
from collections.abc import Callable

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
    defaults = {"is_default_before": False, "is_default_after": False}
    change = [{"pointer": "/file", "before": "one.yaml", "after": "uno.yaml", **defaults}]
    assert moved(two.run("plan", *files, "--format", "json")) == {"a1": change, "a2": change}
    assert "file  one.yaml → uno.yaml" in two.run("plan", *files).out
    assert two.run("apply", "--yes", *files).code == 0
    assert planned(two, *files) == planned(two, "-f", "two.yaml") == planned(two, "-f", ".") == {}
    assert {name: one["file"] for name, one in two.recorded().items()} == {
        "a1": "uno.yaml",
        "a2": "uno.yaml",
        "b1": "two.yaml",
    }


def test_the_order_of_files_and_connections_makes_no_plan_stale(two: Repository) -> None:
    two.declare("a1", "b1", tags=["x"])
    put(two, "one.yaml", "a1", "a2")
    put(two, "two.yaml", "b1")
    planned = two.run("plan", *BOTH, "--out", "plan.json", "--format", "json").report["plan"]["digest"]
    put(two, "one.yaml", "a2", "a1")
    other_way = ("-f", "two.yaml", "-f", "one.yaml")
    assert two.run("plan", *other_way, "--format", "json").report["plan"]["digest"] == planned
    assert two.run("apply", "--plan", "plan.json", *other_way).code == 0


def test_a_saved_plan_knows_its_files(two: Repository) -> None:
    two.run("plan", *BOTH, "--out", "plan.json")
    refused = two.run("apply", "--plan", "plan.json", "-f", "one.yaml")
    assert refused.code == 7
    assert "about other manifests than this run: give `-f one.yaml -f two.yaml`" in refused.err
    assert two.run("apply", "--plan", "plan.json", "-f", ".").code == 0


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda two: put(two, "one.yaml", "a1"), "a2 is now to be removed"),
        (lambda two: put(two, "two.yaml", "b1", "new"), "new was not part of it"),
        (lambda two: two.run("apply", "--yes", *BOTH), "a1 was applied meanwhile"),
    ],
    ids=["removed", "new", "applied"],
)
def test_a_stale_plan_says_what_moved(two: Repository, edit: Callable[[Repository], object], says: str) -> None:
    two.declare("a1", "new", tags=["x"])
    put(two, "one.yaml", "a1", "a2")
    two.run("plan", *BOTH, "--out", "plan.json")
    edit(two)
    stale = two.run("apply", "--plan", "plan.json", *BOTH)
    assert stale.code == 7
    assert f"the plan is stale, since {says}" in stale.err
    assert "run `connform plan --out FILE` again" in stale.err


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


@pytest.fixture
def folders(repository: Repository) -> Repository:
    """Two folders with a file each, both of them applied."""
    (repository.folder / ".git").mkdir()
    repository.declare("p1", "p2", "s1")
    (repository.folder / "connections.yaml").unlink()
    put(repository, "prod/c.yaml", "p1", "p2")
    put(repository, "stage/c.yaml", "s1")
    assert repository.run("apply", "--yes", "-f", "prod", "-f", "stage").code == 0
    return repository


@pytest.mark.parametrize("named", ["prod", "prod/c.yaml", "prod/"])
def test_the_last_file_of_a_folder_is_removed(folders: Repository, named: str) -> None:
    (folders.folder / "prod/c.yaml").unlink()
    both = ("-f", named, "-f", "stage")
    planned = folders.run("plan", *both, "--format", "json")
    assert planned.code == 0, planned.out
    assert [one["code"] for one in planned.report["diagnostics"]] == ["no-connections"]
    assert actions(planned) == {"p1": "remove", "p2": "remove"}
    assert "p1" in folders.run("plan", *both, "-c", "p1").out
    assert folders.run("apply", "--yes", *both).code == 0
    assert folders.recorded("-f", "stage").keys() == {"s1"}
    gone = folders.run("plan", *both)
    assert (gone.code, "file-not-found" in gone.out) == (1, True), "nothing is recorded of it any more"


def test_a_folder_that_is_gone_with_its_files_is_removed_from_a_database(folders: Repository) -> None:
    (folders.folder / "prod/c.yaml").unlink()
    if not folders.state:
        pytest.skip("its state lay in the folder")
    (folders.folder / "prod").rmdir()
    assert folders.run("apply", "--yes", "-f", "prod").code == 0
    assert folders.recorded("-f", "stage").keys() == {"s1"}


def test_a_file_that_was_never_recorded_is_a_mistake(folders: Repository) -> None:
    (folders.folder / "prod/c.yaml").unlink()
    for wrong in ("prodd", "prod/d.yaml", "stage/d.yaml"):
        refused = folders.run("plan", "-f", wrong, "-f", "prod", "-f", "stage")
        assert (refused.code, "file-not-found" in refused.out) == (1, True)
    assert folders.run("validate", "-f", "prod").code == 1, "without the state, what is missing is a mistake"


def test_what_is_gone_is_removed_under_the_usual_rules(sqlite_repository: Repository) -> None:
    names = [f"c{number}" for number in range(10)]
    sqlite_repository.declare(*names)
    assert sqlite_repository.run("apply", "--yes").code == 0
    (sqlite_repository.folder / "connections.yaml").unlink()
    refused = sqlite_repository.run("apply", "--yes", "-f", "connections.yaml")
    assert (refused.code, "10 of 10" in refused.err) == (7, True)
    assert sqlite_repository.run("plan").code == 1, "nothing was named"
