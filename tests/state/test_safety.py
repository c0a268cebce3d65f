"""What a plan is refused for: judged as a whole, by what is its own, whoever carries out which part of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from connform.cli.main import main
from tests.state.recording import record
from tests.state.test_files import put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.state.conftest import Repository

NAMES = tuple(f"team-{number:02}" for number in range(20))
SHARDS = tuple(f"{number}/4" for number in range(1, 5))


@pytest.fixture
def halved(sqlite_repository: Repository) -> Repository:
    """Twenty connections that were applied, of which ten are declared."""
    repository = sqlite_repository
    repository.declare(*NAMES)
    record(repository.folder / "connections.yaml")
    repository.remove(*NAMES[:10])
    return repository


def test_shards_do_not_remove_together_what_one_run_may_not(halved: Repository) -> None:
    halved.run("plan", "--out", "plan.json")
    for agreed in (("--yes",), ("--plan", "plan.json")):
        for shard in SHARDS:
            refused = halved.run("apply", *agreed, "--shard", shard)
            assert refused.code == 7, (agreed, shard)
            assert "10 of 20" in refused.err
    assert "needs --force: it removes or changes 10 of 20" in halved.run("plan", "--shard", "1/4").out
    assert len(halved.recorded()) == 20


def test_a_saved_plan_is_judged_by_all_its_steps_however_far_it_got(halved: Repository) -> None:
    halved.run("plan", "--out", "plan.json")
    for shard in SHARDS[:3]:
        assert halved.run("apply", "--plan", "plan.json", "--shard", shard, "--force").code == 0
    refused = halved.run("apply", "--plan", "plan.json", "--shard", SHARDS[3])
    assert refused.code == 7
    assert "10 of 20" in refused.err


def test_other_files_do_not_thin_out_what_a_plan_removes(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare(*NAMES, *(f"other-{number}" for number in range(30)))
    (repository.folder / "connections.yaml").unlink()
    put(repository, "one.yaml", *NAMES)
    put(repository, "two.yaml", *(name for name in repository.connections if name not in NAMES))
    for file in ("one.yaml", "two.yaml"):
        record(repository.folder / file)
    put(repository, "one.yaml", *NAMES[8:])
    assert "8 of 20 recorded" in repository.run("apply", "--yes", "-f", "one.yaml").err
    assert "8 of 10 recorded" in repository.run("apply", "--yes", "-f", "one.yaml", "-c", "team-0*").err
    assert "--force" not in repository.run("plan", "-f", "one.yaml", "-f", "two.yaml").out


def test_trying_again_what_failed_needs_no_force(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare(*NAMES)
    record(repository.folder / "connections.yaml")
    repository.declare(*NAMES, base_url="https://localhost:1/x")
    assert repository.run("apply", "--yes", "--force").code == 6
    repository.declare(*NAMES)
    assert repository.run("apply", "--yes").code == 0


OAUTH: dict[str, Any] = {
    "method": "oauth2",
    "client_id": "portal",
    "client_secret": "env://PORTAL_SECRET",
    "redirect_uri": "https://localhost/back",
}


@pytest.mark.parametrize("key", ["token_url", "authorize_url", "revoke_url", "issuer"])
@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("https://id.acme.example/x", "https://id.other.example/x", "from id.acme.example to id.other.example"),
        ("", "https://id.other.example/x", "from the provider's own to id.other.example"),
        ("https://id.acme.example/x", "", "from id.acme.example to the provider's own"),
        ("https://id.acme.example/x", "https://id.acme.example/y", ""),
    ],
)
def test_a_production_secret_is_sent_to_no_other_server_without_force(
    key: str, before: str, after: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "connections.yaml"

    def declare(url: str) -> None:
        auth = OAUTH | ({key: url} if url else {})
        shop = {"environment": "production", "region": "eu", "auth": auth}
        file.write_text(json.dumps({"version": 1, "connections": {"shop": shop}}))

    declare(before)
    record(file)
    declare(after)
    assert main(["plan", "-f", str(file), "--format", "json"]) == 0
    refusals = json.loads(capsys.readouterr().out)["plan"]["refusals"]
    assert refusals == ([f"shop is in production and its {key} would move {told}"] if told else [])
    assert main(["apply", "--yes", "-f", str(file)]) == (7 if told else 5)
    capsys.readouterr()
