"""Connections that get another name: what is recorded of them and their grants go along, or stay where they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connform.auth.oauth import pending_refresh
from connform.cli.main import main
from connform.database import open_grants
from connform.database.cipher import new_key
from connform.engine.run.shard import Shard
from connform.grant import Grant, GrantFacts
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.state.recording import record

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = new_key()
OAUTH = {
    "method": "oauth2",
    "client_id": "portal",
    "client_secret": "env://PORTAL_SECRET",
    "redirect_uri": "https://localhost/back",
    "token_url": "https://id.acme.example/token",
    "authorize_url": "https://id.acme.example/authorize",
}


class Team:
    """A repository with manifests, a state, and a person who runs commands in it."""

    def __init__(self, folder: Path, state: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.state = state
        self._capsys = capsys

    def write(
        self, *names: str, file: str = "connections.yaml", moved: dict[str, str] | None = None, **values: Any
    ) -> Path:
        """Declare connections, each with a host of its own unless it is given."""
        connections = {
            name: {
                "provider": "http",
                "base_url": "https://api.acme.example/x",
                "check": {"path": "/me", "expect": {"body": {"const": {}}}},
                "auth": OAUTH,
                **values,
            }
            for name in names
        }
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"version": 1, "connections": connections, "moved": moved or {}}))
        return path

    def applied(self, *names: str, **values: Any) -> None:
        """Declare connections, and record them as applied."""
        record(self.write(*names, **values), state=self.state)

    def grant(self, *names: str, **facts: Any) -> None:
        """Keep a grant of each of some connections."""
        for name in names:
            known = GrantFacts(
                connection=name,
                token_url=OAUTH["token_url"],
                client_id="portal",
                scopes=("profile", "offline_access"),
                obtained_at=NOW,
                expires_at=NOW + timedelta(hours=1),
                is_renewable=True,
                granted_at=NOW - timedelta(days=3),
            )
            with closing(self.open_grants()) as store, store.lock(name, 5) as locked:
                locked.write(Grant(known._replace(**facts), Secret(f"{API_KEY}-{name}"), Secret(AWKWARD)))

    def open_grants(self) -> Any:
        return open_grants(self.state, self.folder / ".connform", lambda: Secret(KEY))

    @property
    def grants(self) -> dict[str, str]:
        """Whose grant lies under which name."""
        with closing(self.open_grants()) as store:
            found = {facts.connection: store.read(facts.connection) for facts in store.facts()}
        return {name: one.access_token.reveal().rpartition("-")[2] for name, one in found.items() if one}

    def run(self, *argv: str) -> tuple[int, str, str]:
        code = main(list(argv))
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def plan(self, *argv: str, code: int = 0) -> dict[str, Any]:
        """Return what a plan says of each connection about which something is to be done."""
        ended, out, err = self.run("plan", "--format", "json", *argv)
        assert ended == code, (out, err)
        self.refusals = json.loads(out)["plan"]["refusals"]
        return {one["name"]: one for one in json.loads(out)["connections"] if one["action"] != "none"}

    def actions(self, *argv: str) -> dict[str, str]:
        return {name: one["action"] for name, one in self.plan(*argv).items()}

    def apply(self, *argv: str, code: int = 0) -> str:
        ended, out, err = self.run("apply", "--yes", *argv)
        assert ended == code, (out, err)
        return out + err

    def recorded(self, *argv: str) -> dict[str, int]:
        """How many attempts are remembered of each connection."""
        _, out, _ = self.run("state", "export", *argv)
        return {one["name"]: len(one["history"]) for one in json.loads(out)["connections"]}


@pytest.fixture
def open_team(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Team]:
    def open_one(state: str) -> Team:
        folder = tmp_path / "repository"
        (folder / ".git").mkdir(parents=True)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("GRANTS_KEY", KEY)
        monkeypatch.setenv("CONNFORM_STATE_KEY", "env://GRANTS_KEY")
        if state:
            monkeypatch.setenv("CONNFORM_STATE", state)
        return Team(folder, state, capsys)

    return open_one


@pytest.fixture
def team(open_team: Callable[[str], Team]) -> Team:
    return open_team("")


@pytest.fixture(params=["sqlite", "postgresql"])
def either_team(request: pytest.FixtureRequest, open_team: Callable[[str], Team]) -> Team:
    return open_team(request.getfixturevalue("database") if request.param == "postgresql" else "")


def test_a_renamed_connection_keeps_history_and_grant_there_and_back(either_team: Team) -> None:
    team = either_team
    team.applied("old", "other")
    team.applied("old", "other")
    team.grant("old")
    team.write("new", "other", moved={"old": "new"})
    planned = team.plan()
    assert {name: (one["action"], one["moved_from"]) for name, one in planned.items()} == {"new": ("move", "old")}
    assert team.refusals == []
    done = team.apply()
    assert "✓ moved  old → new" in done
    assert "1 moved, 1 unchanged" in done
    assert (team.recorded(), team.grants) == ({"new": 2, "other": 2}, {"new": "old"})
    assert team.plan() == {}, "the entry stays without effect"
    team.write("old", "other", moved={"new": "old"})
    team.apply()
    assert (team.recorded(), team.grants) == ({"old": 2, "other": 2}, {"old": "old"})


def test_every_format_shows_a_move_and_what_is_revoked(team: Team) -> None:
    team.applied("old", "gone")
    team.grant("old", "gone")
    team.write("new", moved={"old": "new"})
    for kind in ("text", "markdown", "github"):
        _, out, _ = team.run("plan", "--format", kind)
        assert "old → new" in out, kind
        assert "the grant of gone" in out.replace("\n             ", " "), kind
        assert API_KEY not in out
    _, out, _ = team.run("plan")
    assert "~ move    old → new" in out
    assert "1 to move, 1 to remove" in out
    assert team.plan()["gone"]["revokes"] == {
        "connection": "gone",
        "client_id": "portal",
        "scopes": ["profile", "offline_access"],
        "granted_at": (NOW - timedelta(days=3)).isoformat(),
    }


def test_a_plan_reads_the_same_alone_and_beside_another_format(team: Team) -> None:
    team.applied("old", "gone", "changed", "too")
    team.grant("old", "gone")
    team.write("new", "changed", "too", "created", "as-well", moved={"old": "new"}, owner="ghp_abcdEFGH1234567890abcd")
    seen = []
    for formats in ((), ("--format", "text", "--format", f"json={team.folder / 'plan.json'}")):
        code, out, _ = team.run("plan", "--detailed-exitcode", *formats)
        seen.append((code, re.sub(r"\([0-9.]+ s\)", "", out)))
    assert seen[0] == seen[1]
    assert "2 to create, 2 to update, 1 to move, 1 to remove" in seen[0][1]


def test_a_chain_leads_from_every_name_that_there_was(team: Team) -> None:
    for name in ("one", "two", "three"):
        team.applied(name)
        team.grant(name)
        team.write("four", moved={"one": "two", "two": "three", "three": "four"})
        team.apply()
        assert (set(team.recorded()), team.grants) == ({"four"}, {"four": name})
        team.write("left")
        assert team.run("logout", "four", "--only-here")[0] == 0
        assert team.run("state", "rm", "four")[0] == 0


def test_a_grant_that_was_never_applied_moves_as_well(team: Team) -> None:
    team.write("old")
    team.grant("old")
    team.write("new", moved={"old": "new"})
    assert team.actions() == {"new": "move"}
    team.apply(code=5)  # its app's secret isn't there
    assert team.grants == {"new": "old"}


def test_a_grant_moves_to_what_was_applied_without_one(team: Team) -> None:
    team.applied("new")
    team.grant("old")
    team.write("new", moved={"old": "new"})
    assert team.actions() == {"new": "move"}
    team.apply(code=5)  # its app's secret isn't there
    assert team.grants == {"new": "old"}


def test_a_rename_with_another_host_is_judged_by_what_was_applied(team: Team) -> None:
    team.applied("old", environment="production")
    team.grant("old")
    team.write("new", environment="production", base_url="https://evil.example/x", moved={"old": "new"})
    planned = team.plan()["new"]
    assert (planned["action"], [one["pointer"] for one in planned["changes"]]) == ("move", ["/base_url"])
    assert "new is in production and would send the grant of portal to https://evil.example" in " ".join(team.refusals)
    team.apply(code=7)
    assert team.grants == {"old": "old"}
    team.write("new", environment="production", owner="payments", moved={"old": "new"})
    assert team.refusals
    team.plan()
    assert team.refusals == []
    assert "old → new" in team.apply(code=5)
    assert (team.recorded(), team.grants) == ({"new": 2}, {"new": "old"})
    assert team.actions() == {"new": "update"}, "it moved, and what failed stays to be done"


def test_names_are_swapped_by_way_of_a_third(team: Team) -> None:
    team.applied("a", "b")
    team.grant("a", "b")
    team.write("a", "b", moved={"a": "b", "b": "a"})
    assert team.run("plan")[0] == 1
    for names, moved in ((("c", "b"), {"a": "c"}), (("c", "a"), {"b": "a"}), (("b", "a"), {"c": "b"})):
        team.write(*names, moved=moved)
        team.apply()
    assert (set(team.recorded()), team.grants) == ({"a", "b"}, {"a": "b", "b": "a"})
    for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
        assert team.run("state", "mv", old, new)[0] == 0
    assert (team.grants, team.plan()) == ({"a": "a", "b": "b"}, {})


def test_a_name_that_was_removed_earlier_is_free_again(team: Team) -> None:
    team.applied("a", "b")
    team.write("a")
    team.apply()
    team.grant("a")
    team.write("b", moved={"a": "b"})
    team.apply()
    assert (set(team.recorded()), team.grants) == ({"b"}, {"b": "a"})


def test_a_failed_attempt_under_the_new_name_is_in_nobody_s_way(team: Team) -> None:
    team.applied("old")
    team.grant("old")
    team.write("new")
    team.apply("-c", "new", code=5)
    assert team.recorded() == {"old": 1, "new": 1}
    team.write("new", moved={"old": "new"})
    team.apply()
    assert (team.recorded(), team.grants) == ({"new": 2}, {"new": "old"})


@pytest.mark.parametrize("taken_by", ["a record", "a grant"])
def test_what_lies_under_the_new_name_is_never_replaced(team: Team, taken_by: str) -> None:
    team.applied("old", *(["new"] if taken_by == "a record" else []))
    team.grant("old", *(["new"] if taken_by == "a grant" else []))
    before = team.recorded(), team.grants
    team.write("new", moved={"old": "new"})
    planned = team.plan()
    assert planned["old"]["action"] == "remove"
    assert "it was to become new (`moved:`), and new" in " ".join(planned["old"]["reasons"])
    assert "it would revoke the grant of old" in " ".join(team.refusals)
    team.apply(code=7)
    assert (team.recorded(), team.grants) == before


def test_two_names_of_a_chain_do_not_become_one(team: Team) -> None:
    team.applied("one", "two")
    team.write("new", moved={"one": "two", "two": "new"})
    planned = team.plan()
    assert {name: one["action"] for name, one in planned.items()} == {"new": "move", "one": "remove"}
    assert "it was to become new (`moved:`), and two becomes that already" in " ".join(planned["one"]["reasons"])


def test_a_rename_is_suggested_where_the_same_is_removed_and_created(team: Team) -> None:
    team.applied("old", "twin", auth={"method": "api_key", "api_key": "env://K"})
    team.write("new", "twin", auth={"method": "api_key", "api_key": "env://K"})
    assert "write `moved: {old: new}`" in " ".join(team.plan()["old"]["reasons"])
    assert team.refusals == [], "nothing is lost that can't be had again"
    team.grant("old")
    assert "write `moved: {old: new}`" in " ".join(team.plan()["old"]["reasons"])
    assert "write `moved: {old: new}`" in " ".join(team.refusals)
    team.write("new", "newer", auth={"method": "api_key", "api_key": "env://K"})
    planned = team.plan()
    for name in ("old", "twin"):
        assert "the same specification is created (new, newer)" in " ".join(planned[name]["reasons"])
        assert f"write `moved: {{{name}: NEW}}`" in " ".join(planned[name]["reasons"])
    team.write(*(f"new-{number}" for number in range(8)), auth={"method": "api_key", "api_key": "env://K"})
    assert "(new-0, new-1, new-2, new-3, new-4 and 3 more)" in " ".join(team.plan()["old"]["reasons"])
    team.write("new", auth={"method": "api_key", "api_key": "env://OTHER"})
    assert team.plan()["old"]["reasons"] == []


def test_only_a_living_grant_needs_force(team: Team) -> None:
    dead: tuple[dict[str, Any], ...] = (
        {"ended": "login_required"},
        {"is_renewable": False, "expires_at": NOW - timedelta(seconds=1)},
    )
    for facts in dead:
        team.applied("gone")
        team.grant("gone", **facts)
        team.write()
        assert team.plan()["gone"]["revokes"] is None
        assert team.refusals == []
    for facts in ({}, {"expires_at": NOW - timedelta(days=1)}, {"is_renewable": False}, {"granted_at": None}):
        team.grant("gone", **facts)
        assert team.plan()["gone"]["revokes"]["client_id"] == "portal"
        assert len(team.refusals) == 1
        assert "where it was renamed, write `moved: {gone: NEW}`" in team.refusals[0]
        team.apply(code=7)


def test_a_connection_that_leaves_oauth_needs_force_while_its_grant_lives(team: Team) -> None:
    team.applied("shop")
    team.grant("shop")
    team.write("shop", auth={"method": "bearer", "token": "env://T"})
    planned = team.plan()["shop"]
    assert (planned["action"], planned["revokes"]["connection"]) == ("update", "shop")
    assert "shop is declared without OAuth now" in " ".join(team.refusals)
    team.apply(code=7)


@pytest.mark.parametrize("together", [True, False])
def test_a_rename_over_files_waits_for_the_file_that_may_still_declare_it(team: Team, *, together: bool) -> None:
    team.applied("old", file="one.yaml")
    team.grant("old")
    team.write(file="one.yaml")
    team.write("new", file="two.yaml", moved={"old": "new"})
    if together:
        assert {one["pointer"] for one in team.plan("-f", "one.yaml", "-f", "two.yaml")["new"]["changes"]} == {"/file"}
        team.apply("-f", "one.yaml", "-f", "two.yaml", code=5)
        assert (set(team.recorded("-f", "two.yaml")), team.grants) == ({"new"}, {"new": "old"})
        return
    planned = team.plan("-f", "two.yaml")
    assert {name: one["action"] for name, one in planned.items()} == {"new": "create"}
    assert "one.yaml, which declared it, is not part of this run: name both files" in planned["new"]["reasons"][0]
    (team.folder / "one.yaml").unlink()
    assert team.actions("-f", "two.yaml") == {"new": "move"}


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_rename_into_another_folder_needs_one_state_for_both(
    open_team: Callable[[str], Team], tmp_path: Path, *, is_shared: bool
) -> None:
    team = open_team(f"sqlite://{tmp_path}/shared" if is_shared else "")
    team.applied("old", file="east/c.yaml")
    team.write(file="east/c.yaml")
    team.write("new", file="west/c.yaml", moved={"old": "new"})
    planned = team.plan("-f", "east", "-f", "west")
    if is_shared:
        assert {name: one["action"] for name, one in planned.items()} == {"new": "move"}
        return
    assert {name: one["action"] for name, one in planned.items()} == {"new": "create", "old": "remove"}
    east, west = (team.folder / side / ".connform" / "state.sqlite3" for side in ("east", "west"))
    said = f"its state lies in {east}, that of new in {west}: one --state for both holds them together"
    assert said in " ".join(planned["old"]["reasons"])


def test_a_selection_moves_what_it_names_by_its_present_name(team: Team) -> None:
    team.applied("old", "other")
    team.write("new", "other", moved={"old": "new"})
    assert team.actions("-c", "new") == team.actions("-c", "n*") == {"new": "move"}
    assert team.actions("-c", "other") == team.actions("--exclude", "new") == {}, "nothing is removed meanwhile"
    code, _, err = team.run("plan", "-c", "old")
    assert (code, "`moved:` says that it is `new` now" in err) == (64, True)
    team.apply("-c", "new")
    assert team.plan() == {}


def _in_shards() -> tuple[str, str]:
    names = [f"team{number}" for number in range(100)]
    return next(one for one in names if Shard(1, 2).has(one)), next(one for one in names if Shard(2, 2).has(one))


@pytest.mark.parametrize("order", [("1/2", "2/2"), ("2/2", "1/2")])
def test_the_shard_of_the_new_name_moves_it_and_that_of_the_old_one_leaves_it_alone(
    team: Team, order: tuple[str, str]
) -> None:
    old, new = _in_shards()
    team.applied(old)
    team.grant(old)
    team.write(new, moved={old: new})
    assert (team.actions("--shard", "1/2"), team.actions("--shard", "2/2")) == ({}, {new: "move"})
    team.plan("--out", "plan.json")
    for shard in order:
        code, out, err = team.run("apply", "--plan", "plan.json", "--shard", shard)
        assert code == 0, (out, err)
    assert (set(team.recorded()), team.grants) == ({new}, {new: old})


def test_a_shard_holds_the_part_of_the_old_name_as_well(team: Team) -> None:
    from connform.database import open_state

    old, new = _in_shards()
    team.applied(old)
    team.write(new, moved={old: new})
    with closing(open_state("", team.folder / ".connform")) as states, states.lock_parts(Shard(1, 2).parts, 5):
        assert "was not free" in team.apply("--shard", "2/2", "--lock-timeout", "0.2", code=5)
    team.apply("--shard", "2/2")
    with closing(open_state("", team.folder / ".connform")) as states, states.lock_parts(Shard(1, 2).parts, 5):
        team.apply("--shard", "2/2", "--lock-timeout", "0.2")  # the entry stays, and holds up nobody


def test_a_saved_plan_is_bound_to_its_renames_and_to_the_grants_that_it_ends(team: Team) -> None:
    team.applied("old", "gone")
    team.write("new", moved={"old": "new"})
    team.plan("--out", "plan.json")
    saved = json.loads(Path("plan.json").read_text())
    assert [one.get("moved_from") for one in saved["changes"]] == [None, "old"]
    team.grant("gone")
    code, _, err = team.run("apply", "--plan", "plan.json", "--force")
    assert (code, "the plan is stale" in err, "gone now revokes the grant of gone" in err) == (7, True, True)
    team.plan("--out", "plan.json")
    assert "the grant of gone (client portal, granted" in Path("plan.json").read_text()
    code, _, err = team.run("apply", "--plan", "plan.json")
    assert (code, "it would revoke the grant of gone" in err) == (7, True)
    Path("plan.json").write_text(Path("plan.json").read_text().replace('"moved_from":"old"', '"moved_from":"gone"'))
    code, _, err = team.run("apply", "--plan", "plan.json", "--force")
    assert (code, "altered" in err) == (1, True)
    assert team.grants == {"gone": "gone"}


def test_nobody_is_told_to_log_in_again_where_a_grant_waits_to_be_moved(team: Team) -> None:
    team.grant("old")
    team.write("new", moved={"older": "old", "old": "new"})
    code, out, _ = team.run("login")
    assert (code, "its grant still lies under its old name, old" in out, "run `connform apply`" in out) == (
        4,
        True,
        True,
    )
    team.grant("new")
    assert team.run("login")[0] == 0


def test_a_rehearsal_moves_nothing(team: Team) -> None:
    team.applied("old", auth={"method": "api_key", "api_key": "env://K"})
    team.grant("old")
    team.write("new", auth={"method": "api_key", "api_key": "env://K"}, moved={"old": "new"})
    assert "create" in team.apply("--simulate", "--format", "json")
    assert (set(team.recorded()), team.grants) == ({"old"}, {"old": "old"})


def test_state_mv_gives_another_name_whatever_the_manifests_say(either_team: Team) -> None:
    team = either_team
    team.applied("old", "other")
    team.grant("old")
    for argv, code, said in (
        (("nobody", "new"), 64, "no connection matches `nobody`"),
        (("old", "other"), 7, "other is in the state already"),
        (("old", "old"), 64, "another name"),
        (("old", "Not A Name"), 64, "another name"),
        (("old",), 64, "an old name and a new one"),
    ):
        ended, _, err = team.run("state", "mv", *argv)
        assert (ended, said in err) == (code, True), err
    assert team.grants == {"old": "old"}
    code, out, _ = team.run("state", "mv", "old", "new")
    assert (code, "old is new now" in out) == (0, True)
    assert (team.recorded(), team.grants) == ({"new": 1, "other": 1}, {"new": "old"})
    team.write("new", "other")
    assert team.plan() == {}


def test_a_grant_that_is_being_renewed_is_not_moved_away_from_its_answer(team: Team) -> None:
    from connform.grant import Pending

    team.applied("old")
    team.grant("old", pending=Pending(datetime.now(UTC), "another-host:1"))
    team.write("new", moved={"old": "new"})
    assert "another-host:1 is renewing the grant of old" in team.apply(code=5)
    assert (set(team.recorded()), team.grants) == ({"old"}, {"old": "old"})
    team.grant("old", pending=Pending(datetime.now(UTC) - timedelta(minutes=5), "another-host:1"))
    team.grant("another", pending=Pending(datetime.now(UTC), "another-host:1"))
    team.apply()
    assert team.grants == {"new": "old", "another": "another"}


@pytest.mark.parametrize("name", ["old", "new"])
def test_a_grant_that_is_locked_is_not_moved(team: Team, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    team.applied("old")
    team.grant("old")
    team.write("new", moved={"old": "new"})
    monkeypatch.setattr(pending_refresh, "MAX_AGE", timedelta(seconds=0.2))
    with closing(team.open_grants()) as store, store.lock(name, 5):
        assert "store_locked" in team.apply(code=5)
    assert (set(team.recorded()), team.grants) == ({"old"}, {"old": "old"})


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")], ids=" → ".join)
def test_two_renames_in_opposite_directions_wait_for_the_same_grant_first(
    team: Team, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]
) -> None:
    old, new = names
    team.applied(old)
    team.write(new, moved={old: new})
    monkeypatch.setattr(pending_refresh, "MAX_AGE", timedelta(seconds=0.2))
    with closing(team.open_grants()) as store, store.lock("a", 5), store.lock("b", 5):
        assert "the grant of a was not free" in team.apply(code=5)


def test_a_key_that_is_lost_leaves_record_and_grant_together(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.applied("old")
    team.grant("old")
    team.write("new", moved={"old": "new"})
    monkeypatch.setenv("GRANTS_KEY", new_key())
    assert "store_key_wrong" in team.apply(code=5)
    assert (set(team.recorded()), team.grants) == ({"old"}, {"old": "old"})
