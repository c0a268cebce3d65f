"""The life of twenty connections, from outside, as a team and its pipeline live it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.reporters.schemas import SCHEMAS
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.end_to_end.running import Run
from tests.state.conftest import Repository

NAMES = tuple(f"team-{number:02}" for number in range(20))


def actions(run: Run) -> dict[str, str]:
    return {name: one["action"] for name, one in run.connections.items() if one["action"] != "none"}


@pytest.fixture
def applied(repository: Repository) -> Repository:
    repository.declare(*NAMES)
    assert repository.run("apply", "--yes").code == 0
    return repository


def test_the_story(applied: Repository) -> None:
    assert sum(applied.api.asked.values()) == 20
    assert applied.run("plan", "--detailed-exitcode").code == 0

    applied.declare("team-03", owner="payments")
    applied.declare("team-04", tags=["eu"])
    applied.declare("team-05", base_url=f"https://localhost:{applied.api.port}/moved")
    applied.remove("team-07")
    applied.declare("new-b", "new-a")
    expected = {
        "team-03": "update",
        "team-04": "update",
        "team-05": "update",
        "new-b": "create",
        "new-a": "create",
        "team-07": "remove",
    }

    planned = applied.run("plan", "--out", "plan.json", "--format", "json", "--detailed-exitcode")
    assert planned.code == 2
    assert actions(planned) == expected
    assert list(actions(planned)) == list(expected), "the manifest's order, removals last"
    assert planned.connections["team-05"]["changes"] == [
        {
            "pointer": "/base_url",
            "before": f"https://localhost:{applied.api.port}/team-05",
            "after": f"https://localhost:{applied.api.port}/moved",
            "is_default_before": False,
            "is_default_after": False,
        }
    ]
    for kind in ("text", "markdown", "github"):
        shown = applied.run("plan", "--format", kind)
        assert shown.code == 0
        assert all(name in shown.out for name in expected), shown.out
        assert "team-08" not in shown.out

    saved: dict[str, Any] = json.loads((applied.folder / "plan.json").read_text())
    Draft202012Validator(SCHEMAS["plan"]()).validate(saved)
    assert saved["digest"] == planned.report["plan"]["digest"]

    before = applied.api.asked
    done = applied.run("apply", "--plan", "plan.json", "--format", "json")
    assert done.code == 0, done.err
    assert applied.api.asked - before == {"team-03": 1, "team-04": 1, "moved": 1, "new-a": 1, "new-b": 1}
    assert applied.recorded().keys() == set(NAMES) - {"team-07"} | {"new-a", "new-b"}

    again = applied.run("plan", "--detailed-exitcode", "--format", "json")
    assert (again.code, actions(again)) == (0, {})
    before = applied.api.asked
    assert applied.run("apply").code == 0, "nothing to do, nothing to ask"
    assert applied.api.asked == before

    stale = applied.run("apply", "--plan", "plan.json")
    assert stale.code == 7
    assert "stale" in stale.err


def test_a_plan_is_refused_once_the_manifest_has_moved(applied: Repository) -> None:
    applied.declare("team-01", owner="payments")
    digest = applied.run("plan", "--out", "plan.json", "--format", "json").report["plan"]["digest"]
    applied.declare("team-02", owner="payments")
    for argument in (("--plan", "plan.json"), ("--expect-digest", digest)):
        refused = applied.run("apply", *argument)
        assert refused.code == 7
    assert "team-02" in applied.run("apply", "--plan", "plan.json").err
    assert not any(one["specification"]["settings"].get("owner") for one in applied.recorded().values())


def test_what_others_applied_meanwhile_makes_no_plan_stale(applied: Repository) -> None:
    """Two branches: the second was planned before the first was merged and applied."""
    applied.declare("team-01", owner="payments")
    digest = applied.run("plan", "--out", "plan.json", "--format", "json").report["plan"]["digest"]
    applied.declare("team-01")
    applied.declare("team-02", "new", owner="mail")
    applied.remove("team-03")
    assert applied.run("apply", "--yes").code == 0
    applied.declare("team-01", owner="payments")
    agreed = ("apply", "--plan", "plan.json", "--expect-digest")
    refused = applied.run(*agreed, "sha256:0")
    assert (refused.code, f"its digest is {digest}" in refused.err) == (7, True)
    for shard in ("1/2", "2/2"):
        assert applied.run(*agreed, digest, "--shard", shard).code == 0
    assert applied.recorded()["team-01"]["specification"]["settings"]["owner"] == "payments"


def test_the_plan_that_is_expected_is_carried_out_without_a_question(applied: Repository) -> None:
    applied.declare("team-01", owner="payments")
    digest = applied.run("plan", "--format", "json").report["plan"]["digest"]
    assert applied.run("apply", "--expect-digest", digest).code == 0
    assert applied.recorded()["team-01"]["specification"]["settings"]["owner"] == "payments"


def test_a_quiet_plan_says_nothing_of_changes(applied: Repository) -> None:
    applied.declare("team-01", owner="payments")
    assert applied.run("plan", "--quiet").out == ""


def test_a_plan_is_not_saved_as_a_file_named_like_standard_output(applied: Repository) -> None:
    refused = applied.run("plan", "--out", "-")
    assert (refused.code, "write /dev/stdout" in refused.err) == (64, True)
    assert not (applied.folder / "-").exists()


def test_a_plan_that_was_altered_is_refused(applied: Repository) -> None:
    applied.declare("team-01", owner="payments")
    applied.run("plan", "--out", "plan.json")
    plan = applied.folder / "plan.json"
    plan.write_text(plan.read_text().replace('"action":"update"', '"action":"none"'))
    refused = applied.run("apply", "--plan", "plan.json")
    assert refused.code == 1
    assert "altered" in refused.err


def test_half_of_all_is_not_removed_without_force(applied: Repository) -> None:
    applied.remove(*NAMES[:10])
    assert "needs --force" in applied.run("plan").out
    refused = applied.run("apply", "--yes")
    assert refused.code == 7
    assert "10 of 20" in refused.err
    assert len(applied.recorded()) == 20
    removed = applied.run("apply", "--yes", "--force")
    assert removed.code == 0
    assert "✓ removed  team-00" in removed.out
    assert "10 removed, 10 unchanged" in removed.out
    assert "ready" not in removed.out
    assert applied.recorded().keys() == set(NAMES[10:])


def test_a_production_connection_does_not_change_its_host_without_force(repository: Repository) -> None:
    repository.declare("shop", environment="production")
    assert repository.run("apply", "--yes").code == 0
    repository.declare("shop", environment="production", base_url=f"https://127.0.0.1:{repository.api.port}/shop")
    refused = repository.run("apply", "--yes")
    assert refused.code == 7
    assert "localhost" in refused.err
    repository.declare("shop", environment="sandbox")
    assert repository.run("apply", "--yes").code == 7
    assert repository.run("apply", "--yes", "--force").code == 0


def test_nothing_is_applied_where_nobody_can_be_asked(repository: Repository) -> None:
    repository.declare("one")
    refused = repository.run("apply")
    assert (refused.code, repository.recorded()) == (7, {})
    assert "--yes" in refused.err


def test_what_failed_stays_to_be_done_and_stops_nobody(repository: Repository) -> None:
    repository.declare("good", "other")
    repository.declare("bad", base_url="https://localhost:1/bad")
    first = repository.run("apply", "--yes", "--format", "json")
    assert first.code == 6
    assert {name: one["verdict"] for name, one in first.connections.items()} == {
        "good": "ready",
        "other": "ready",
        "bad": "unknown",
    }
    planned = repository.run("plan", "--format", "json", "--detailed-exitcode")
    assert (planned.code, actions(planned)) == (2, {"bad": "create"})
    assert planned.connections["bad"]["reasons"] == ["the last attempt failed: tcp_refused"]
    repository.remove("bad")
    removal = repository.run("plan", "--format", "json").connections["bad"]
    assert (removal["action"], removal["reasons"]) == ("remove", []), "what never was good needs no reason to go"
    repository.declare("bad")
    assert repository.run("apply", "--yes").code == 0
    assert len(repository.run("state", "history", "bad", "--format", "json").connection["history"]) == 2


def test_what_failed_is_applied_as_it_was_declared_then(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.api.status["one"] = 401
    for owner in ("east", "west"):
        repository.declare("one", owner=owner)
        assert repository.run("apply", "--yes").code != 0
        tried = repository.recorded()["one"]
        assert (tried["specification"]["settings"]["owner"], tried["latest"]["action"]) == (owner, "create")
    repository.api.status.clear()
    assert repository.run("apply", "--yes").code == 0
    assert repository.run("plan", "--detailed-exitcode").code == 0


def test_a_run_over_one_file_forgets_nothing_of_another(repository: Repository) -> None:
    repository.declare("one")
    (repository.folder / "more.yaml").write_text((repository.folder / "connections.yaml").read_text())
    repository.connections.clear()
    repository.declare("two")
    both = ("-f", "connections.yaml", "-f", "more.yaml")
    assert repository.run("apply", "--yes", *both).code == 0
    assert actions(repository.run("plan", "-f", "connections.yaml", "--format", "json")) == {}
    (repository.folder / "more.yaml").unlink()
    assert actions(repository.run("plan", "-f", ".", "--format", "json")) == {"one": "remove"}


def test_a_record_can_be_forgotten(repository: Repository) -> None:
    repository.declare("one", "two")
    assert repository.run("apply", "--yes").code == 0
    assert repository.run("state", "rm", "one").code == 0
    assert repository.recorded().keys() == {"two"}
    assert repository.run("state", "rm", "one").code == 64
    assert actions(repository.run("plan", "--format", "json")) == {"one": "create"}


def test_a_refresh_says_what_the_live_side_answers_now(repository: Repository) -> None:
    repository.declare("one", "two")
    assert repository.run("apply", "--yes").code == 0
    assert repository.run("plan", "--refresh", "--detailed-exitcode").code == 0
    repository.api.status["two"] = 401
    refreshed = repository.run("plan", "--refresh", "--detailed-exitcode", "--format", "json", "--out", "plan.json")
    assert (refreshed.code, actions(refreshed)) == (2, {"two": "update"})
    assert "auth_rejected" in refreshed.connections["two"]["reasons"][0]
    repository.api.status.clear()
    before = repository.api.asked
    assert repository.run("apply", "--plan", "plan.json").code == 0
    assert repository.api.asked - before == {"two": 1}


def test_a_refresh_sees_that_a_secret_was_rotated(repository: Repository, plant: Plant) -> None:
    key = plant(repository.folder / "key", API_KEY)
    repository.declare("one", auth={"method": "api_key", "api_key": "file://key"})
    assert repository.run("apply", "--yes").code == 0
    assert repository.run("plan", "--refresh", "--detailed-exitcode").code == 0
    os.utime(key, (1_700_000_000, 1_700_000_000))
    refreshed = repository.run("plan", "--refresh", "--detailed-exitcode", "--format", "json", "--out", "plan.json")
    assert (refreshed.code, actions(refreshed)) == (2, {"one": "update"})
    assert "2023-11-14T22:13:20+00:00" in refreshed.connection["reasons"][0]
    assert repository.run("apply", "--plan", "plan.json").code == 0
    assert repository.recorded()["one"]["latest"]["secrets"][0]["version"] == "2023-11-14T22:13:20+00:00"
    assert repository.run("plan", "--refresh", "--detailed-exitcode").code == 0


def test_a_removed_connection_can_be_chosen_by_its_name(applied: Repository) -> None:
    applied.remove("team-07", "team-08")
    for name in ("team-07", "team-0[78]"):
        planned = applied.run("plan", "-c", name, "--out", "plan.json", "--format", "json")
        assert planned.code == 0, planned.err
        assert actions(planned) == dict.fromkeys(["team-07", "team-08"][: 1 + ("[" in name)], "remove")
    assert actions(applied.run("plan", "-c", "team-07", "-c", "team-01", "--format", "json")) == {"team-07": "remove"}
    unknown = applied.run("plan", "-c", "team-07x")
    assert unknown.code == 64
    assert "team-07" in unknown.err, "the one that is meant is recorded only"
    assert applied.run("apply", "--plan", "plan.json").code == 0
    assert applied.run("apply", "--yes", "-c", "team-07x").code == 64
    assert actions(applied.run("plan", "-c", "team-0*", "--format", "json")).get("team-07") is None
