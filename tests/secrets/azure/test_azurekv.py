"""The backend `azurekv`, at a server that imitates the documented one: there was no real Azure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connform.secret import Secret
from connform.secrets.azure.backend import AZUREKV
from connform.secrets.kit.interface import StoreConfig
from connform.testing.logging_proxy import logging_proxy
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_library
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request, ServedBench
from tests.secrets.fetching import failure, lint

TOKEN = API_KEY
CLIENT_SECRET = f"{API_KEY}-of-the-client"


class Vault:
    """`GET /secrets/{name}/{version}?api-version=7.4` and the token endpoint of Entra ID, as their references describe them."""

    def __init__(self, issuer: Issuer, ca_file: Path) -> None:
        self.secrets: dict[str, list[str]] = {}
        self.accepted = TOKEN
        self.server = ApiServer(self.handle, issuer.loopback())
        settings = {
            "address": self.server.address,
            "authority": self.server.address,
            "ca_file": str(ca_file),
            "tenant_id": "acme",
            "client_id": "reader",
            "client_secret": "env://SECRET",
        }
        self.store = StoreConfig(ca_file.parent, settings, {"client_secret": Secret(CLIENT_SECRET)})

    def handle(self, request: Request) -> tuple[int, Any]:
        if request.path == "/acme/oauth2/v2.0/token":
            if request.form["client_secret"] != CLIENT_SECRET:
                return 401, {"error": "invalid_client", "error_description": API_KEY}
            return 200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3599}
        assert request.query == {"api-version": "7.4"}
        _, _, name, version = request.path.split("/")
        if request.authorization != f"Bearer {self.accepted}":
            return 401, _error("Unauthorized")
        if name == "denied":
            return 403, _error("Forbidden")
        versions = self.secrets.get(name, [])
        number = int(version, 16) if version else len(versions)
        if not 0 < number <= len(versions):
            return 404, _error("SecretNotFound")
        address = f"{self.server.address}/secrets/{name}/{number:032x}"
        return 200, {
            "value": versions[number - 1],
            "id": address,
            "attributes": {"enabled": True, "updated": 1767225600},
        }


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": API_KEY}}


@pytest.fixture
def vault(authority: Issuer, ca_file: Path) -> Iterator[Vault]:
    vault = Vault(authority, ca_file)
    yield vault
    vault.server.stop()


class AzureBench(ServedBench):
    backend = AZUREKV
    lacks = {"sealed": "a vault is never sealed", "binary": "Key Vault keeps text alone"}

    def __init__(self, vault: Vault) -> None:
        super().__init__(vault.store, vault.server)
        self._vault = vault

    def put(self, name: str, value: bytes) -> str:
        self._vault.secrets.setdefault(name, []).append(value.decode())
        return f"mine://{name}"

    def missing(self) -> str:
        return "mine://missing"

    def denied(self) -> str:
        return "mine://denied"

    def expired(self) -> StoreConfig:
        self._vault.accepted = "another"
        return self.place


class TestKeyVault(SecretBackendSuite):
    @pytest.fixture
    def bench(self, vault: Vault) -> Bench:
        return AzureBench(vault)

    def test_a_login_that_has_ended_is_told_from_a_denied_secret(self, bench: Bench) -> None:
        denied = self.fault(bench, bench.denied())
        ended = self.fault(bench, bench.put("expired", b"x"), bench.expired())
        assert (ended.fault.name, denied.fault.name) == ("secret_denied", "secret_denied")
        assert ended.hint != denied.hint


def test_the_login_goes_by_the_proxy_as_the_secret_does(vault: Vault) -> None:
    bench = AzureBench(vault)
    text = bench.put("proxied", b"x")
    with logging_proxy() as proxy:
        store = bench.place._replace(settings={**bench.place.settings, "proxy": proxy.url})
        TestKeyVault().read(bench, text, place=store)
    assert len(proxy.targets) == 2  # each has connections of its own


def test_many_secrets_need_one_login(vault: Vault) -> None:
    bench = AzureBench(vault)
    texts = [bench.put(f"secret-{number}", b"x") for number in range(20)]
    TestKeyVault().read(bench, *texts)
    paths = [request.path for request in vault.server.requests]
    assert (paths.count("/acme/oauth2/v2.0/token"), len(paths)) == (1, 21)


def test_a_rejected_login_is_tried_once(vault: Vault) -> None:
    store = vault.store._replace(secrets={"client_secret": Secret(f"{API_KEY}-wrong")})
    bench = AzureBench(vault)
    outcomes = TestKeyVault().read(bench, *(f"mine://secret-{number}" for number in range(20)), place=store)
    assert {repr(type(outcome)) for outcome in outcomes} == {"<class 'connform.errors.SecretUnresolved'>"}
    assert [request.path for request in vault.server.requests] == ["/acme/oauth2/v2.0/token"]


def test_a_machine_without_a_login_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require_library("azure.identity")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # no metadata server is looked for
    error = failure("azurekv", tmp_path, "azurekv://acme/portal")
    assert (error.fault.name, "az login" in error.hint) == ("secret_denied", True)
    assert_no_canary(error.message, error.hint)


@pytest.mark.parametrize("text", ["azurekv://acme/portal", "azurekv://acme/portal?version=0a1b#id"])
def test_a_good_reference(text: str) -> None:
    assert lint("azurekv", text) == ""


@pytest.mark.parametrize(
    "text", ["azurekv://portal", "azurekv://acme/a/b", "azurekv://acme/a_b", "azurekv://acme/a?version=../x"]
)
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("azurekv", text)


@pytest.mark.parametrize(
    ("store", "codes"),
    [
        ({"address": "https://acme.vault.azure.net"}, []),
        ({"address": "http://acme.vault.azure.net"}, ["insecure-url"]),
        ({"address": "https://a.example", "client_secret": "env://A", "client_id": "a"}, ["missing-key"]),
    ],
    ids=["good", "plain-http", "no-tenant"],
)
def test_a_store_is_judged_offline(store: dict[str, str], codes: list[str]) -> None:
    assert [finding.code for finding in AZUREKV.rules(store)] == codes
