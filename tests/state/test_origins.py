"""Production's secrets go to recorded origins alone: by the command line, against servers that count what they receive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.http.servers import Connection, Server, head

KEY = "env://SHOP_KEY"
REFUSED = 7


def answer(connection: Connection) -> None:
    """Accept whatever comes: as an API, as a Vault whose mounts are KV version 1, and as a token endpoint."""
    while request := connection.read_request():
        path = request.split()[1]
        content: dict[str, Any] = {}
        if path.startswith(b"/v1/sys/internal/ui/mounts/"):
            content = {"data": {"path": "secret/", "type": "kv", "options": {"version": "1"}}}
        elif path.startswith(b"/v1/"):
            content = {"data": {"key": API_KEY}}
        body = json.dumps(content).encode()
        connection.send(head(200, [f"Content-Length: {len(body)}", "Content-Type: application/json"]) + body)


@pytest.fixture
def here() -> Iterator[Server]:
    with Server(answer) as server:
        yield server


@pytest.fixture
def there() -> Iterator[Server]:
    """Where nothing is to arrive."""
    with Server(answer) as server:
        yield server


@dataclass
class Shop:
    """A manifest with production connections, and what came of commands."""

    folder: Path
    here: Server
    there: Server
    capture: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.here.port}"
        self.elsewhere = f"http://127.0.0.1:{self.there.port}"
        login = {"method": "token", "token": "env://VAULT_LOGIN"}
        self.manifest: dict[str, Any] = {
            "version": 1,
            "stores": {"corp": {"type": "vault", "address": self.url, "kv_version": 1, "auth": login}},
            "connections": {"shop": self.connection(KEY), "till": self.connection("corp://secret/till#key")},
        }

    def connection(self, key: str, **values: Any) -> dict[str, Any]:
        auth = {"method": "api_key", "api_key": key}
        own = {
            "provider": "http",
            "environment": "production",
            "base_url": self.url,
            "check": {"path": "/me", "expect": {"body": {"const": {}}}},
        }
        return {**own, "auth": auth, **values}

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        connections: dict[str, dict[str, Any]] = self.manifest["connections"]
        return connections

    def write(self, file: str = "connections.yaml") -> None:
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(json.dumps(self.manifest, indent=1))

    def run(self, *argv: str) -> tuple[int, str]:
        code = main(list(argv))
        said = self.capture.readouterr()
        return code, said.out + said.err

    def received(self) -> int:
        """Return how much both servers received since this was asked last."""
        requests = len(self.here.requests) + len(self.there.requests)
        self.here.requests.clear()
        self.there.requests.clear()
        return requests

    def demand_refusal(self, *said: str, argv: tuple[str, ...] = ()) -> None:
        """Apply without `--force`: it is refused with these reasons, and nobody hears of it."""
        self.received()
        code, text = self.run("apply", "--yes", *argv)
        words = " ".join(text.split())
        assert (code, self.received()) == (REFUSED, 0), text
        assert all(one in words for one in said), (said, words)


@pytest.fixture
def shop(
    tmp_path: Path,
    here: Server,
    there: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shop:
    """A shop and a till in production, applied."""
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in ("SHOP_KEY", "OTHER_KEY", "VAULT_LOGIN", "OTHER_LOGIN"):
        monkeypatch.setenv(name, f"{API_KEY}-of-a-store" if name.endswith("LOGIN") else API_KEY)
    shop = Shop(folder, here, there, capsys)
    shop.write()
    assert shop.run("apply", "--yes")[0] == 0
    assert shop.received() == 4, "two checks, the mount and the secret in it"
    return shop


def _host(shop: Shop) -> None:
    shop.connections["shop"]["base_url"] = shop.elsewhere


def _rename(shop: Shop) -> None:
    _host(shop)
    shop.connections["shop2"] = shop.connections.pop("shop")


def _new(shop: Shop) -> None:
    shop.connections["new"] = shop.connection("ref+env://SHOP_KEY", base_url=shop.elsewhere)


def _new_sandbox(shop: Shop) -> None:
    shop.connections["new"] = shop.connection(KEY, base_url=shop.elsewhere, environment="sandbox")


def _store(shop: Shop) -> None:
    shop.manifest["stores"]["corp"]["address"] = shop.elsewhere


def _other_store(shop: Shop) -> None:
    """A store of another name that is shown the same login, for a connection that isn't production's."""
    shop.manifest["stores"]["mine"] = {**shop.manifest["stores"]["corp"], "address": shop.elsewhere}
    shop.connections["new"] = shop.connection("mine://secret/x#key", environment="sandbox")


def _same_secret_by_another_store(shop: Shop) -> None:
    store = {
        **shop.manifest["stores"]["corp"],
        "mount": "secret",
        "auth": {"method": "token", "token": "env://OTHER_LOGIN"},
    }
    shop.manifest["stores"]["mine"] = store
    shop.connections["new"] = shop.connection("mine://till#key", base_url=shop.elsewhere)


def _reference(shop: Shop) -> None:
    shop.connections["shop"]["auth"]["api_key"] = "env://OTHER_KEY"


def _template(shop: Shop) -> None:
    shop.manifest["templates"] = {"one": {"base_url": shop.elsewhere}}
    del shop.connections["shop"]["base_url"]
    shop.connections["shop"]["extends"] = "one"


SENDING: dict[str, tuple[Callable[[Shop], None], str]] = {
    "another-host": (_host, KEY),
    "a-rename": (_rename, KEY),
    "a-new-connection": (_new, KEY),
    "a-new-one-in-sandbox": (_new_sandbox, KEY),
    "a-store's-address": (_store, "env://VAULT_LOGIN"),
    "another-store-with-its-login": (_other_store, "env://VAULT_LOGIN"),
    "its-secret-by-another-store": (_same_secret_by_another_store, "mine://till#key"),
    "a-template": (_template, KEY),
}


@pytest.mark.parametrize(("change", "secret"), SENDING.values(), ids=SENDING)
def test_a_secret_of_production_goes_elsewhere_with_force_alone(
    change: Callable[[Shop], None], secret: str, shop: Shop
) -> None:
    change(shop)
    shop.write()
    shop.demand_refusal(f"{secret}", f"to {shop.elsewhere}", shop.url)
    assert "needs --force" in shop.run("plan")[1]
    assert shop.run("apply", "--yes", "--force")[0] == 0
    assert shop.there.requests
    assert shop.run("plan", "--detailed-exitcode")[0] == 0, "what was forced is recorded"


def test_a_reference_of_production_is_swapped_with_force_alone(shop: Shop) -> None:
    _reference(shop)
    shop.write()
    shop.demand_refusal("env://OTHER_KEY", f"recorded for it: env://SHOP_KEY → {shop.url}")
    assert shop.run("apply", "--yes", "--force")[0] == 0
    assert shop.received() == 1


def test_a_whole_document_is_more_than_one_field_of_it(shop: Shop) -> None:
    for name in ("till", "till2"):
        shop.manifest["connections"] = {name: shop.connection("corp://secret/till")}
        shop.write()
        shop.demand_refusal(f"{name} ", "would send corp://secret/till")


WAYS = {
    "proxy": ({"proxy": "http://proxy.acme.example:3128"}, "proxy http://proxy.acme.example:3128"),
    "ca_file": ({"tls": {"ca_file": "ca.pem"}}, "CA ca.pem"),
    "client-certificate": (
        {"tls": {"client_cert": "me.pem", "client_key": "me.key"}},
        "client certificate me.pem",
    ),
}


@pytest.mark.parametrize("is_new", [False, True], ids=["changed", "new"])
@pytest.mark.parametrize(("values", "said"), WAYS.values(), ids=WAYS)
def test_the_way_to_the_origin_counts(values: dict[str, Any], said: str, is_new: bool, shop: Shop) -> None:
    if is_new:
        shop.connections["new"] = shop.connection(KEY, **values)
    else:
        shop.connections["shop"] |= values
    shop.write()
    shop.demand_refusal(KEY, said)
    assert shop.run("apply", "--yes", "--force")[0] != REFUSED


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"proxy": "http://proxy.acme.example:3128"}, "proxy http://proxy.acme.example:3128"),
        ({"tls": {"client_cert": "me.pem", "client_key": "me.key"}}, "client certificate me.pem"),
    ],
    ids=["proxy", "client-certificate"],
)
def test_the_way_to_a_store_counts(values: dict[str, Any], said: str, shop: Shop) -> None:
    shop.manifest["stores"]["corp"] |= values
    shop.write()
    shop.demand_refusal("env://VAULT_LOGIN", said)


@pytest.mark.parametrize("name", ["app", "renamed"])
@pytest.mark.parametrize("key", ["client_id", "token_url", "authorize_url"])
def test_an_app_is_shown_to_no_other_server(key: str, name: str, shop: Shop) -> None:
    auth = {
        "method": "oauth2",
        "client_id": "portal",
        "client_secret": KEY,
        "redirect_uri": "https://localhost/back",
        "token_url": f"{shop.url}/token",
        "authorize_url": f"{shop.url}/authorize",
    }
    app = shop.connection(KEY) | {"auth": auth}
    shop.manifest["connections"] = {"app": app}
    shop.write()
    assert shop.run("apply", "--yes", "--force")[0] != REFUSED
    auth[key] = "other" if key == "client_id" else shop.elsewhere
    shop.manifest["connections"] = {name: app}
    shop.write()
    shop.demand_refusal("client other" if key == "client_id" else shop.elsewhere)
    assert shop.run("apply", "--yes", "--force")[0] != REFUSED


ENVIRONMENTS: dict[str, tuple[dict[str, str], bool]] = {
    "sandbox": ({"environment": "sandbox"}, True),
    "staging": ({"environment": "staging"}, True),
    "class": ({"environment": "production", "class": "test"}, True),
    "none": ({}, False),
    "private": ({"environment": "private"}, False),
    "another-label": ({"environment": "eu-1"}, False),
    "staging-of-production": ({"environment": "staging", "class": "production"}, False),
}


@pytest.mark.parametrize("name", ["shop", "shop2"], ids=["itself", "renamed"])
@pytest.mark.parametrize(("environment", "is_test"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_a_secret_does_not_leave_production_first_to_leave_its_host_next(
    environment: dict[str, str], name: str, shop: Shop, *, is_test: bool
) -> None:
    values = {key: value for key, value in shop.connections.pop("shop").items() if key != "environment"}
    shop.connections[name] = values | environment
    shop.write()
    if is_test:
        shop.demand_refusal("is in production and would move to test" if name == "shop" else "is not in production")
    assert shop.run("apply", "--yes", *(["--force"] if is_test else []))[0] == 0
    shop.connections[name]["base_url"] = shop.elsewhere
    shop.write()
    shop.demand_refusal(KEY, shop.elsewhere)


@pytest.mark.parametrize("former", ["removed", "renamed", "changed"])
def test_what_was_recorded_of_production_stays_known(former: str, shop: Shop) -> None:
    """In two steps: first the record goes, which needs no `--force` by itself, then the secret is sent elsewhere."""
    values = shop.connections.pop("shop")
    if former == "renamed":
        shop.connections["shop2"] = values
    elif former == "changed":
        shop.connections["shop"] = shop.connection("env://OTHER_KEY")
    shop.write()
    assert shop.run("apply", "--yes", *(["--force"] if former == "changed" else []))[0] == 0
    shop.connections["new"] = {**values, "environment": "sandbox", "base_url": shop.elsewhere}
    shop.write()
    shop.demand_refusal(KEY, f"to {shop.elsewhere}", f"recorded for it: {shop.url}")
    shop.connections["new"] = values
    shop.write()
    assert shop.run("apply", "--yes")[0] == 0, "back where it was"


@pytest.mark.parametrize(
    ("file", "git"),
    [
        ("new.yaml", ".git"),
        ("connections/new.yaml", ".git"),
        ("connections/new.yaml", ""),
        ("team/new.yaml", ".git"),
        ("teams/a/connections/new.yaml", ".git"),
        ("submodule/new.yaml", ".git"),
    ],
)
def test_a_record_of_another_file_or_folder_counts(file: str, git: str, shop: Shop) -> None:
    if not git:
        (shop.folder / ".git").rmdir()
    shop.manifest["connections"] = {"new": shop.connection(KEY, base_url=shop.elsewhere)}
    shop.write(file)
    if "submodule" in file:
        (shop.folder / "submodule/.git").write_text("gitdir: ../.git/modules/submodule\n")
    shop.demand_refusal(KEY, shop.elsewhere, argv=("-f", file))


@pytest.mark.parametrize("git", [".git", ""])
def test_a_record_of_another_project_does_not_count(git: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    project = shop.folder.parent / "project"
    (project / git).mkdir(parents=True)
    monkeypatch.chdir(project)
    shop.folder = project
    shop.manifest["connections"] = {"new": shop.connection(KEY, base_url=shop.elsewhere)}
    shop.write()
    assert shop.run("apply", "--yes")[0] == 0


@pytest.mark.parametrize("reference", ["file://link", "mine://link", "file://inner/link#field"])
def test_a_link_to_a_secret_is_that_secret(reference: str, shop: Shop, plant: Plant) -> None:
    secret = plant("secrets/key", API_KEY)
    shop.connections["shop"]["auth"]["api_key"] = f"file://{secret}"
    shop.manifest["stores"]["mine"] = {"type": "file", "path": "inner"}
    shop.write()
    assert shop.run("apply", "--yes", "--force")[0] == 0
    (shop.folder / "inner").mkdir()
    for link in ("link", "inner/link"):
        (shop.folder / link).symlink_to(secret)
    shop.connections["new"] = shop.connection(reference, base_url=shop.elsewhere)
    shop.write()
    shop.demand_refusal(reference, shop.elsewhere)


def test_neither_a_selection_nor_a_shard_nor_a_saved_plan_is_a_way_around(shop: Shop) -> None:
    _rename(shop)
    shop.write()
    shop.demand_refusal(KEY, argv=("-c", "shop2"))
    codes = [shop.run("apply", "--yes", "--shard", f"{number}/4", "-c", "shop2")[0] for number in range(1, 5)]
    assert sorted(codes) == [0, 0, 0, REFUSED], "the shard that it is in"
    assert shop.run("plan", "--out", "plan.json", "--refresh")[0] == 0
    assert not shop.there.requests
    code, said = shop.run("apply", "--plan", "plan.json")
    assert (code, KEY in said, shop.there.requests) == (REFUSED, True, [])


def test_what_never_was_ready_is_known_as_well(shop: Shop) -> None:
    shop.connections["late"] = shop.connection("env://OTHER_KEY", base_url="http://127.0.0.1:1")
    shop.write()
    assert shop.run("apply", "--yes")[0] == 6
    shop.connections["late"]["base_url"] = shop.elsewhere
    shop.write()
    shop.demand_refusal("env://OTHER_KEY", shop.elsewhere)


HARMLESS: dict[str, dict[str, Any]] = {
    "description": {"description": "where it is sold", "owner": "payments", "tags": ["eu"]},
    "timeouts": {"timeouts": {"total_s": 20}},
    "check": {"check": {"path": "/other"}},
    "header": {"api_key_header": "X-Other"},
}


@pytest.mark.parametrize("values", HARMLESS.values(), ids=HARMLESS)
def test_what_sends_nothing_elsewhere_needs_no_force(values: dict[str, Any], shop: Shop) -> None:
    shop.connections["shop"] |= values
    shop.connections["renamed"] = shop.connections.pop("till") | values
    shop.manifest["stores"]["corp"]["timeout_s"] = 5
    shop.connections["another"] = shop.connection("env://OTHER_KEY", base_url=shop.elsewhere)
    shop.connections["test"] = shop.connection("env://TEST_KEY", environment="sandbox")
    shop.write()
    code, said = shop.run("plan")
    assert (code, "--force" in said) == (0, False), said


def test_a_plan_says_which_secret_is_sent_where(shop: Shop) -> None:
    shop.connections["shop"] |= {"proxy": "http://proxy.acme.example:3128"}
    shop.connections["till"]["owner"] = "payments"
    shop.write()
    for kind in ("text", "markdown"):
        text = " ".join(shop.run("plan", "--format", kind)[1].replace("\\", "").replace("\u200b", "").split())
        assert f"{KEY} → {shop.url} (proxy http://proxy.acme.example:3128)" in text
        assert f"env://VAULT_LOGIN → {shop.url} (store vault)" in text
    report = json.loads(shop.run("plan", "--format", "json")[1])
    by_name = {one["name"]: one["sends"] for one in report["connections"]}
    assert by_name["shop"] == [{"secret": KEY, "origin": shop.url, "how": ["proxy http://proxy.acme.example:3128"]}]
    assert [one["secret"] for one in by_name["till"]] == ["corp://secret/till#key", "env://VAULT_LOGIN"]
    assert deepcopy(report)["plan"]["refusals"]
