"""Plans, states and exports hold what manifests hold: references, and nothing that they lead to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connform.reporters import FORMATS
from connform.reporters.graphs import GRAPHS
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.conftest import Plant
from tests.end_to_end.running import KEY_VARIABLE, run
from tests.state.conftest import Repository


@pytest.mark.parametrize("api_key", [f"env://{KEY_VARIABLE}", "file://secrets/key", "file://secrets/all.json#key"])
def test_nothing_that_outlives_a_run_holds_a_secret(repository: Repository, plant: Plant, api_key: str) -> None:
    folder = repository.folder
    plant(folder / "secrets" / "key", API_KEY)
    plant(folder / "secrets" / "all.json", json.dumps({"key": API_KEY, "other": AWKWARD}))
    repository.declare("one", "two", auth={"method": "api_key", "api_key": api_key})
    repository.declare("refused", base_url="https://localhost:1/x", auth={"method": "api_key", "api_key": api_key})
    outputs = []
    for argv in (
        ("plan", "--out", "plan.json", "--format", "json"),
        ("apply", "--yes", "--format", "json", "-vv"),
        ("plan", "--refresh", "--out", "refreshed.json", "-vv"),
        ("state", "export"),
        ("state", "show", "one"),
        ("state", "history", "refused"),
        ("graph",),
    ):
        ended = repository.run(*argv)
        assert ended.code in {0, 6}, ended.err
        outputs += [ended.out, ended.err]
    assert {"plan.json", "refreshed.json"} <= {path.name for path in folder.iterdir()}
    assert repository.recorded()["one"]["latest"]["secrets"][0]["reference"] == api_key
    assert_no_canary(*outputs, *_files(folder))


LOOKS = (
    *(("plan", "--format", kind) for kind in FORMATS),
    ("plan", "-vv"),
    *(("graph", "--format", kind) for kind in GRAPHS),
    ("state", "list"),
    ("state", "export"),
)


def test_changes_removals_and_pictures_hold_no_secret(repository: Repository, plant: Plant) -> None:
    folder = repository.folder
    plant(folder / "secrets" / "key", API_KEY)
    plant(folder / "secrets" / "next", AWKWARD)
    repository.declare("kept", "gone", "moved", auth={"method": "api_key", "api_key": "file://secrets/key"})
    outputs = [*_said(repository, "apply", "--yes")]
    repository.remove("gone")
    repository.declare("moved", owner="payments", auth={"method": "api_key", "api_key": "file://secrets/next"})
    for argv in LOOKS:
        outputs += _said(repository, *argv)
    shown = "".join(outputs)
    assert "file://secrets/key" in shown
    assert "file://secrets/next" in shown
    assert "remove" in shown
    outputs += _said(repository, "apply", "--yes", "--force", "-vv")
    outputs += _said(repository, "state", "history", "kept")
    assert_no_canary(*outputs, *_files(folder))


def test_a_server_that_sends_the_key_back_finds_no_listener(sqlite_repository: Repository, plant: Plant) -> None:
    """In processes of their own: what libraries log of an answer, where a test asks them to, is not connform's."""
    repository = sqlite_repository
    repository.api.echoes = True
    statuses = {"fine": 200, "rejected": 401, "denied": 403, "elsewhere": 302, "broken": 500, "down": 503}
    repository.api.status.update(statuses)
    plant(repository.folder / "secrets" / "key", API_KEY)
    repository.declare(*statuses, auth={"method": "api_key", "api_key": "file://secrets/key"})
    (repository.folder / "out").mkdir()
    for verb in (("apply", "--yes"), ("plan", "--refresh"), ("check",)):
        kinds = [f"--format={kind}=out/{verb[0]}.{kind}" for kind in FORMATS]
        ended = run(*verb, "-vv", *kinds, cwd=repository.folder, env=repository.environment)
        assert ended.code in {0, 1}, ended.err
    exported = run("state", "export", cwd=repository.folder, env=repository.environment)
    assert repository.api.asked.keys() == statuses.keys()
    assert len(list((repository.folder / "out").iterdir())) == 3 * len(FORMATS)
    assert_no_canary(exported.out, exported.err, *_files(repository.folder))


def _said(repository: Repository, *argv: str) -> tuple[str, str]:
    ended = repository.run(*argv)
    assert ended.code == 0, ended.err
    return ended.out, ended.err


def _files(folder: Path) -> Iterator[bytes]:
    """Yield the content of everything that a run may have left behind."""
    for path in folder.rglob("*"):
        if path.is_file() and "secrets" not in path.parts:
            yield path.read_bytes()


def test_a_manifest_with_a_pasted_secret_is_neither_planned_nor_applied(repository: Repository) -> None:
    repository.declare("one", auth={"method": "api_key", "api_key": API_KEY})
    for argv in (("plan", "--out", "plan.json"), ("apply", "--yes")):
        refused = repository.run(*argv)
        assert refused.code == 1
        assert "plaintext-secret" in refused.out
        assert_no_canary(refused.out, refused.err)
    assert not (repository.folder / "plan.json").exists()
    (repository.folder / "connections.yaml").unlink()
