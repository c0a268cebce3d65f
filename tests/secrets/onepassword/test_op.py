"""The backend `op`, at a Connect server and a program that imitate the documented ones: there was no real 1Password."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connform.secret import Secret
from connform.secrets.kit.interface import Fetched, StoreConfig
from connform.secrets.onepassword.backend import OP
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY, assert_no_canary
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request, ServedBench
from tests.secrets.fetching import failure, fetch, lint

TOKEN = API_KEY


class Connect:
    """Vaults and items by `filter` and by id, as the reference of Connect (v1) describes them."""

    def __init__(self, issuer: Issuer, ca_file: Path) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.server = ApiServer(self.handle, issuer.loopback())
        settings = {"address": self.server.address, "ca_file": str(ca_file), "token": "env://TOKEN"}
        self.store = StoreConfig(ca_file.parent, settings, {"token": Secret(TOKEN)})

    def put(self, title: str, fields: Mapping[str, str]) -> None:
        version = self.items.get(title, {"version": 0})["version"] + 1
        self.items[title] = {
            "id": title.ljust(26, "x"),
            "title": title,
            "version": version,
            "updatedAt": "2026-03-01T12:00:00Z",
            "sections": [{"id": "s1", "label": "login"}],
            "fields": [
                {"id": f"f{index}", "label": label, "value": value, "section": {"id": "s1"}}
                for index, (label, value) in enumerate(fields.items())
            ],
        }

    def handle(self, request: Request) -> tuple[int, Any]:
        if request.authorization != f"Bearer {TOKEN}":
            return 401, {"status": 401, "message": API_KEY}
        parts = request.path.strip("/").split("/")[1:]
        wanted = request.query.get("filter", "").partition(' eq "')[2].rstrip('"')
        if parts == ["vaults"]:
            vaults = {"acme": "v" * 26, "closed": "c" * 26}
            return 200, [{"id": vaults[wanted], "name": wanted}] if wanted in vaults else []
        if parts[1] == "c" * 26:
            return 403, {"status": 403, "message": API_KEY}
        if len(parts) == 3:
            return 200, [{"id": item["id"], "title": title} for title, item in self.items.items() if title == wanted]
        found = [item for item in self.items.values() if item["id"] == parts[3]]
        return (200, found[0]) if found else (404, {"status": 404, "message": API_KEY})


@pytest.fixture
def connect(authority: Issuer, ca_file: Path) -> Iterator[Connect]:
    connect = Connect(authority, ca_file)
    yield connect
    connect.server.stop()


class ConnectBench(ServedBench):
    backend = OP
    lacks = {
        "binary": "a field is text",
        "fields": "a field is part of the path: the tests below show that a pair comes from one look",
        "versions": "Connect gives no earlier versions",
        "sealed": "a Connect server is never sealed",
    }

    def __init__(self, connect: Connect) -> None:
        super().__init__(connect.store, connect.server)
        self._connect = connect

    def put(self, name: str, value: bytes) -> str:
        self._connect.put(name, {"password": value.decode()})
        return f"mine://acme/{name}/password"

    def missing(self) -> str:
        return "mine://acme/missing/password"

    def denied(self) -> str:
        return "mine://closed/any/password"

    def expired(self) -> StoreConfig:
        return self.place._replace(secrets={"token": Secret("revoked")})


class TestConnect(SecretBackendSuite):
    @pytest.fixture
    def bench(self, connect: Connect) -> Bench:
        return ConnectBench(connect)


def test_two_fields_of_an_item_come_from_one_look(connect: Connect) -> None:
    connect.put("portal", {"client_id": "0012", "client_secret": "s3cret"})
    texts = ("mine://acme/portal/client_id", "mine://acme/portal/login/client_secret", "mine://acme/portal/f1")
    outcomes = TestConnect().read(ConnectBench(connect), *texts)
    assert [one.secret.reveal() for one in outcomes if isinstance(one, Fetched)] == ["0012", "s3cret", "s3cret"]
    assert len(connect.server.requests) == 3  # the vault's id, the item's, the item
    assert isinstance(outcomes[0], Fetched)
    assert (outcomes[0].version, str(outcomes[0].since)) == ("1", "2026-03-01 12:00:00+00:00")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mine://nowhere/portal/client_id", "no vault nowhere"),
        ("mine://acme/nothing/client_id", "no item nothing"),
        ("mine://acme/portal/client_di", "no field client_di"),
        ("mine://acme/portal/other/client_id", "no field client_id"),
    ],
)
def test_what_is_missing_is_named(connect: Connect, text: str, words: str) -> None:
    connect.put("portal", {"client_id": "0012"})
    error = TestConnect().fault(ConnectBench(connect), text)
    assert (error.fault.name, words in error.message) == ("secret_not_found", True)


PROGRAM = """#!{python}
import json, sys
argv = sys.argv[1:]
assert argv[:2] == ["item", "get"] and argv[3:5] == ["--vault", "acme"] and argv[5:] == ["--format", "json", "--reveal"]
if argv[2] == "portal":
    json.dump({{"id": "x", "version": 4, "updated_at": "2026-03-01T12:00:00Z",
                "fields": [{{"id": "password", "label": "password", "value": "0012"}}]}}, sys.stdout)
else:
    complaints = {{"missing": '[ERROR] 2026/03/01 12:00:00 "missing" isn\\'t an item in the "acme" vault. {canary}',
                   "signedout": "[ERROR] 2026/03/01 12:00:00 You are not currently signed in. {canary}",
                   "forbidden": "[ERROR] 2026/03/01 12:00:00 (403) Forbidden. {canary}"}}
    sys.exit(complaints.get(argv[2], "{canary}"))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "op").write_text(PROGRAM.format(python=sys.executable, canary="c4nary-of-the-program"))
    (folder / "op").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.usefixtures("program")
def test_the_program_reads_an_item(tmp_path: Path) -> None:
    assert fetch("op", tmp_path, "op://acme/portal/password") == ["0012"]


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ("missing", "secret_not_found"),
        ("signedout", "secret_denied"),
        ("forbidden", "secret_denied"),
        ("other", "secret_backend_unavailable"),
    ],
)
def test_what_the_program_complains_of_is_told_in_our_words(tmp_path: Path, item: str, fault: str) -> None:
    error = failure("op", tmp_path, f"op://acme/{item}/password")
    assert error.fault.name == fault
    assert "c4nary" not in f"{error.message}{error.hint}"
    assert_no_canary(error.message)


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failure("op", tmp_path, "op://acme/portal/password")
    assert (error.fault.name, "program op" in error.message) == ("secret_backend_unavailable", True)


@pytest.mark.parametrize("text", ["op://Private/portal/password", "op://a/b/c/d", f"op://a/{'x' * 26}/f"])
def test_a_good_reference(text: str) -> None:
    assert lint("op", text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "op://a/b",
        "op://a/b/c/d/e",
        "op://a//c",
        "op://a/b/c#d",
        "op://a/b/c?version=1",
        "op://a/--account=x/c",
        "op://-a/b/c",
    ],
)
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("op", text)
