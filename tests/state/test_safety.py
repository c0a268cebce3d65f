"""What a plan is refused for: judged as a whole, by what is its own, whoever carries out which part of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from tests.state.conftest import Repository
from tests.state.recording import record
from tests.state.test_files import put

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


@pytest.mark.parametrize(("removed", "code"), [(6, 0), (7, 7)], ids=["30 %", "more than that"])
def test_thirty_percent_may_be_removed_and_no_more(sqlite_repository: Repository, removed: int, code: int) -> None:
    sqlite_repository.declare(*NAMES)
    record(sqlite_repository.folder / "connections.yaml")
    sqlite_repository.remove(*NAMES[:removed])
    assert sqlite_repository.run("apply", "--yes").code == code
    assert len(sqlite_repository.recorded()) == (20 if code else 20 - removed)


@pytest.mark.parametrize(("recorded", "code"), [(9, 0), (10, 7)], ids=["nine", "ten"])
def test_the_share_is_judged_from_ten_recorded_connections_on(
    sqlite_repository: Repository, recorded: int, code: int
) -> None:
    sqlite_repository.declare(*NAMES[:recorded])
    record(sqlite_repository.folder / "connections.yaml")
    sqlite_repository.remove(*NAMES[:4])
    assert sqlite_repository.run("apply", "--yes").code == code


def test_what_is_created_does_not_count(sqlite_repository: Repository) -> None:
    sqlite_repository.declare(*NAMES[:10])
    record(sqlite_repository.folder / "connections.yaml")
    sqlite_repository.declare(*NAMES)
    assert sqlite_repository.run("plan", "--format", "json").report["plan"]["refusals"] == []


@pytest.mark.parametrize(
    "values",
    [{"owner": "team-a", "description": "packages"}, {"tags": ["a"]}, {"timeouts": {"total_s": 30, "connect_s": 10}}],
    ids=" ".join,
)
def test_what_decides_nothing_that_is_sent_may_change_everywhere(
    sqlite_repository: Repository, values: dict[str, Any]
) -> None:
    repository = sqlite_repository
    repository.declare(*NAMES)
    record(repository.folder / "connections.yaml")
    repository.declare(*NAMES, **values)
    assert repository.run("plan", "--out", "plan.json", "--format", "json").report["plan"]["refusals"] == []
    assert repository.run("apply", "--plan", "plan.json", "--shard", "1/2").code == 0
    assert repository.run("apply", "--yes").code == 0
    assert all(one["specification"]["settings"].items() >= values.items() for one in repository.recorded().values())
    repository.declare(*NAMES, **values, check={"path": "/you", "expect": {"body": {"required": ["items"]}}})
    assert "20 of 20" in repository.run("apply", "--yes").err


def test_shards_do_not_remove_together_what_one_run_may_not(halved: Repository) -> None:
    halved.run("plan", "--out", "plan.json")
    for agreed in (("--yes",), ("--plan", "plan.json")):
        for shard in SHARDS:
            refused = halved.run("apply", *agreed, "--shard", shard)
            assert refused.code == 7, (agreed, shard)
            assert "10 of 20" in refused.err
    assert "needs --force: it removes or changes 10 of 20" in halved.run("plan", "--shard", "1/4").out
    assert len(halved.recorded()) == 20


def test_a_saved_plan_of_one_shard_is_judged_by_the_steps_of_all(halved: Repository) -> None:
    halved.run("plan", "--shard", "1/4", "--out", "plan.json")
    refused = halved.run("apply", "--plan", "plan.json")
    assert refused.code == 7
    assert "10 of 20" in refused.err


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


OWN = "https://sign.syngrafii.eu"


def declare(file: Path, name: str, auth: dict[str, Any], **values: Any) -> None:
    connection = {"environment": "production", "region": "eu", "auth": OAUTH | auth, **values}
    file.write_text(json.dumps({"version": 1, "connections": {name: connection}}))


def refusals(file: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return why a plan wants `--force`; `apply` without it is refused for the same, before a secret is looked for."""
    assert main(["plan", "-f", str(file), "--format", "json"]) == 0
    found: list[str] = json.loads(capsys.readouterr().out)["plan"]["refusals"]
    assert main(["apply", "--yes", "-f", str(file)]) == (7 if found else 5)
    said = " ".join(capsys.readouterr().err.split())
    assert all(one in said for one in found)
    return found


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"username": "other"}, []),
        ({"url": "http://proxy.other.example:3128"}, ["env://PROXY_PASSWORD to http://proxy.other.example:3128"]),
        ({"url": "http://proxy.acme.example:3129"}, ["env://PROXY_PASSWORD to http://proxy.acme.example:3129"]),
        ({"password": "env://PORTAL_SECRET"}, ["env://PORTAL_SECRET to http://proxy.acme.example:3128 (proxy)"]),
    ],
)
def test_the_password_of_a_proxy_goes_to_no_other_proxy_without_force(
    after: dict[str, str], said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = {"url": "http://proxy.acme.example:3128", "username": "ci", "password": "env://PROXY_PASSWORD"}
    file = tmp_path / "connections.yaml"
    declare(file, "shop", {}, proxy=proxy)
    record(file)
    declare(file, "shop", {}, proxy=proxy | after)
    found = refusals(file, capsys)
    assert bool(found) == bool(said)
    assert all(any(one in reason for reason in found) for one in said), found


def test_a_proxy_and_its_password_may_be_shared_by_all_environments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = {"url": "http://proxy.acme.example:3128", "username": "ci", "password": "env://PROXY_PASSWORD"}
    file = tmp_path / "connections.yaml"
    declare(file, "shop", {}, proxy=proxy)
    record(file)
    manifest = json.loads(file.read_text())
    auth = OAUTH | {"client_id": "other", "client_secret": "env://SANDBOX_SECRET"}
    sandbox = {"environment": "sandbox", "region": "eu", "auth": auth, "proxy": proxy}
    manifest["connections"]["sandbox"] = sandbox
    file.write_text(json.dumps(manifest))
    assert refusals(file, capsys) == []
    sandbox["proxy"] = proxy | {"url": "http://proxy.other.example:3128"}
    file.write_text(json.dumps(manifest))
    (reason,) = refusals(file, capsys)
    assert "sandbox would send env://PROXY_PASSWORD, a secret of production (shop)" in reason


@pytest.mark.parametrize("name", ["shop", "renamed"])
@pytest.mark.parametrize("key", ["token_url", "authorize_url", "revoke_url", "issuer"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://id.acme.example/x", "https://id.other.example/x"),
        ("", "https://id.other.example/x"),
        ("https://id.acme.example/x", ""),
        ("https://id.acme.example/x", "https://id.acme.example/y"),
    ],
)
def test_a_production_secret_is_sent_to_no_other_server_without_force(
    key: str, before: str, after: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "connections.yaml"
    declare(file, "shop", {key: before} if before else {})
    record(file)
    declare(file, name, {key: after} if after else {})
    found = refusals(file, capsys)
    if after.endswith("/y"):
        assert found == []
    else:
        what = "the consent to portal" if key == "authorize_url" else "env://PORTAL_SECRET"
        assert any(what in one and f"to {after.removesuffix('/x') or OWN}" in one for one in found), found


@pytest.mark.parametrize("key", ["token_url", "authorize_url", "base_url"])
def test_the_grant_of_a_public_client_in_production_goes_elsewhere_with_force_alone(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def declare(**changes: str) -> list[str]:
        urls = {
            name: f"https://id.acme.example/{name}" for name in ("token_url", "authorize_url", "base_url")
        } | changes
        connection = {
            "provider": "http",
            "environment": "production",
            "check": {"path": "/me", "expect": {"body": {"const": {}}}},
        }
        connection["base_url"] = urls.pop("base_url")
        connection["auth"] = {"method": "oauth2", "client_id": "app", "redirect_uri": "https://localhost/back", **urls}
        file.write_text(json.dumps({"version": 1, "connections": {"shop": connection}}))
        assert main(["plan", "-f", str(file), "--format", "json"]) == 0
        found: list[str] = json.loads(capsys.readouterr().out)["plan"]["refusals"]
        return found

    file = tmp_path / "connections.yaml"
    declare()
    record(file)
    assert declare() == []
    assert declare(**{key: f"https://id.acme.example/other-{key}"}) == []
    found = declare(**{key: "https://id.other.example/x"})
    what = "the consent to app" if key == "authorize_url" else "the grant of app"
    assert any(what in one and "https://id.other.example" in one for one in found), found


@pytest.mark.parametrize("name", ["shop", "renamed"])
@pytest.mark.parametrize(
    ("auth", "values", "said"),
    [
        ({"client_id": "other"}, {}, "env://PORTAL_SECRET"),
        ({"client_id": "other"}, {}, "client other"),
        ({}, {"region": "us"}, "the grant of portal"),
        ({}, {"proxy": "http://proxy.acme.example:3128"}, "the grant of portal"),
    ],
)
def test_an_app_and_its_grants_go_to_recorded_origins_alone(
    auth: dict[str, str],
    values: dict[str, str],
    said: str,
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "connections.yaml"
    declare(file, "shop", {})
    record(file)
    declare(file, name, auth, **values)
    assert any(said in one for one in refusals(file, capsys))


@pytest.mark.parametrize("leaves", ["its method", "its file", "its file, with its store"])
def test_what_ends_a_grant_opens_no_store_elsewhere(
    leaves: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The app's secret is read once more, in the store as the manifest has it now, or as it was recorded."""
    file = tmp_path / "connections.yaml"
    store = {
        "type": "vault",
        "address": "https://vault.acme.example",
        "auth": {"method": "token", "token": "env://LOGIN"},
    }
    shop = {"environment": "production", "region": "eu", "auth": OAUTH | {"client_secret": "corp://secret/app#key"}}
    content = {"version": 1, "stores": {"corp": store}, "connections": {"shop": shop}}
    file.write_text(json.dumps(content))
    record(file)
    store["address"] = "https://vault.other.example"
    if leaves == "its method":
        shop["auth"] = {"method": "api_key", "api_key": "env://KEY"}
    else:
        content["connections"] = {"sand": {"environment": "sandbox", "region": "eu", "auth": OAUTH}}
    if leaves == "its file, with its store":
        content["stores"] = {}
    file.write_text(json.dumps(content))
    found = refusals(file, capsys)
    if content["stores"]:
        assert any("would send env://LOGIN to https://vault.other.example" in one for one in found)
    else:
        assert found == []


KEY = {"method": "api_key", "api_key": "env://KEY"}


@pytest.mark.parametrize(
    ("before", "after", "secrets"),
    [
        (OAUTH, OAUTH | {"client_secret": "env://NEXT"}, {"env://NEXT"}),
        (KEY, None, set()),
        (KEY, {"method": "bearer", "token": "env://TOKEN"}, {"env://TOKEN"}),
        (OAUTH, KEY, {"env://KEY", "env://PORTAL_SECRET"}),
        (OAUTH, None, {"env://PORTAL_SECRET"}),
    ],
    ids=["OAuth as before", "a key that is removed", "another key", "a key for OAuth", "OAuth that is removed"],
)
def test_a_former_secret_is_sent_to_end_a_grant_alone(
    before: dict[str, Any],
    after: dict[str, Any] | None,
    secrets: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "connections.yaml"
    other = {"environment": "sandbox", "region": "eu", "auth": KEY}
    for auth in (before, after):
        shop = {"shop": {"environment": "production", "region": "eu", "auth": auth}} if auth else {}
        file.write_text(json.dumps({"version": 1, "connections": {"other": other, **shop}}))
        if auth is before:
            record(file)
    assert main(["plan", "-f", str(file), "--format", "json"]) == 0
    planned = {one["name"]: one for one in json.loads(capsys.readouterr().out)["connections"]}
    assert {one["secret"] for one in planned["shop"]["sends"] if "://" in one["secret"]} == secrets


@pytest.mark.parametrize(("count", "more"), [(5, ""), (7, " and 2 more")])
def test_a_refusal_names_five_recorded_origins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, more: str
) -> None:
    def declare(*hosts: str) -> None:
        shop = {
            "provider": "http",
            "check": {"path": "/me", "expect": {"text": "me"}},
            "auth": {"method": "bearer", "token": "env://KEY"},
        }
        shops = {host: shop | {"base_url": f"https://{host}.example"} for host in hosts}
        file.write_text(json.dumps({"version": 1, "connections": shops}))

    file, hosts = tmp_path / "connections.yaml", [f"h{number}" for number in range(count)]
    declare(*hosts)
    record(file)
    declare(*hosts, "new")
    (reason,) = refusals(file, capsys)
    shown = ", ".join(f"https://{host}.example" for host in hosts[:5])
    assert reason.endswith(f"to https://new.example; recorded for it: {shown}{more}")


@pytest.mark.parametrize(("count", "more"), [(30, ["and 11 more, "]), (19, [])], ids=["31 reasons", "20 reasons"])
def test_a_refusal_for_many_reasons_stays_readable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, more: list[str]
) -> None:
    file = tmp_path / "connections.yaml"
    shop = {
        "provider": "http",
        "environment": "production",
        "base_url": "https://a.example",
        "check": {"path": "/me", "expect": {"body": {"const": {}}}},
    }
    shops = {f"shop-{number}": shop | {"auth": {"method": "bearer", "token": "env://KEY"}} for number in range(count)}
    file.write_text(json.dumps({"version": 1, "connections": shops}))
    record(file)
    file.write_text(file.read_text().replace("a.example", "b.example"))
    assert main(["apply", "--yes", "-f", str(file)]) == 7
    said = capsys.readouterr().err
    assert said.count("is in production") == 19, "the first says that all of them change"
    assert re.findall("and -?[0-9]+ more, ", said) == more
