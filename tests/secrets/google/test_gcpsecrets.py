"""The backend `gcpsecrets`, at a server that imitates the documented one: there was no real Google Cloud.

Google's own library logs in; its token endpoint is the same server, named by the service account's key.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connform.secret import Secret
from connform.secrets.google.backend import GCPSECRETS
from connform.secrets.kit.interface import StoreConfig
from connform.testing.logging_proxy import logging_proxy
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_library
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request, ServedBench
from tests.secrets.fetching import lint
from tests.secrets.google.stand_in import set_metadata_server

require_library("google.auth")
TOKEN = API_KEY


class Project:
    """`GET /v1/projects/{project}/secrets/{secret}/versions/{version}:access`, as its reference (v1) describes it."""

    def __init__(self, issuer: Issuer, ca_file: Path, private_key: str) -> None:
        self.secrets: dict[str, list[bytes]] = {}
        self.accepted = TOKEN
        self.token_errors: list[int] = []
        """The statuses of the next answers of the token endpoint."""
        self.server = ApiServer(self.handle, issuer.loopback())
        key = {
            "type": "service_account",
            "client_email": "reader@acme.iam.gserviceaccount.com",
            "private_key": private_key,
            "token_uri": f"{self.server.address}/token",
        }
        settings = {
            "project": "acme",
            "address": self.server.address,
            "ca_file": str(ca_file),
            "credentials": "env://KEY",
        }
        self.store = StoreConfig(ca_file.parent, settings, {"credentials": Secret(json.dumps(key))})

    def handle(self, request: Request) -> tuple[int, Any]:  # noqa: PLR0911  (one for each answer)
        if request.path == "/token" and self.token_errors:
            return self.token_errors.pop(), {"error": "temporarily_unavailable"}
        if request.path == "/token":
            assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            return 200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
        _, _, _, project, _, name, _, version = request.path.removesuffix(":access").split("/")
        if request.authorization != f"Bearer {self.accepted}":
            return 401, _error(401, "UNAUTHENTICATED")
        if name == "denied":
            return 403, _error(403, "PERMISSION_DENIED")
        if name == "destroyed":
            return 400, _error(400, "FAILED_PRECONDITION")
        versions = self.secrets.get(name, [])
        number = len(versions) if version == "latest" else int(version)
        if not 0 < number <= len(versions):
            return 404, _error(404, "NOT_FOUND")
        data = base64.b64encode(versions[number - 1]).decode()
        return 200, {"name": f"projects/{project}/secrets/{name}/versions/{number}", "payload": {"data": data}}


def _error(code: int, status: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": API_KEY, "status": status}}


@pytest.fixture
def project(authority: Issuer, ca_file: Path, private_key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))  # Google's library trusts what requests trusts
    project = Project(authority, ca_file, private_key)
    yield project
    project.server.stop()


class GoogleBench(ServedBench):
    backend = GCPSECRETS
    lacks = {"sealed": "Secret Manager is never sealed"}

    def __init__(self, project: Project) -> None:
        super().__init__(project.store, project.server)
        self._project = project

    def put(self, name: str, value: bytes) -> str:
        self._project.secrets.setdefault(name, []).append(value)
        return f"mine://{name}"

    def missing(self) -> str:
        return "mine://missing"

    def denied(self) -> str:
        return "mine://denied"

    def expired(self) -> StoreConfig:
        self._project.accepted = "another"
        return self.place


class TestSecretManager(SecretBackendSuite):
    @pytest.fixture
    def bench(self, project: Project) -> Bench:
        return GoogleBench(project)

    def test_a_login_that_has_ended_is_told_from_a_denied_secret(self, bench: Bench) -> None:
        denied = self.fault(bench, bench.denied())
        ended = self.fault(bench, bench.put("expired", b"x"), bench.expired())
        assert (ended.fault.name, denied.fault.name) == ("secret_denied", "secret_denied")
        assert ended.hint != denied.hint


def test_the_login_goes_by_the_proxy_as_the_secret_does(project: Project) -> None:
    bench = GoogleBench(project)
    text = bench.put("proxied", b"x")
    with logging_proxy() as proxy:
        store = bench.place._replace(settings={**bench.place.settings, "proxy": proxy.url})
        TestSecretManager().read(bench, text, place=store)
    assert len(proxy.targets) == 2  # each has connections of its own


def test_many_secrets_need_one_login(project: Project) -> None:
    bench = GoogleBench(project)
    texts = [bench.put(f"secret-{number}", b"x") for number in range(20)]
    TestSecretManager().read(bench, *texts)
    paths = [request.path for request in project.server.requests]
    assert (paths.count("/token"), len(paths)) == (1, 21)


@pytest.mark.parametrize("statuses", [[429] * 4, [503] * 2])
def test_a_login_that_was_not_rejected_is_repeated(
    project: Project, statuses: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time", SimpleNamespace(sleep=lambda _: None))
    bench = GoogleBench(project)
    text = bench.put("portal", b"0012")
    project.token_errors = statuses  # Google's library gives up after three
    assert TestSecretManager().value(bench, text) == "0012"
    assert project.token_errors == []


def test_a_destroyed_version_is_not_found(project: Project) -> None:
    error = TestSecretManager().fault(GoogleBench(project), "mine://destroyed")
    assert (error.fault.name, "destroyed" in error.message) == ("secret_not_found", True)


@pytest.mark.parametrize(
    ("key", "fault"),
    [(API_KEY, "secret_malformed"), ("[]", "secret_malformed"), ("{}", "secret_malformed")],
    ids=["no-JSON", "no-object", "no-key"],
)
def test_credentials_that_are_none_are_said_without_them(project: Project, key: str, fault: str) -> None:
    store = project.store._replace(secrets={"credentials": Secret(key)})
    error = TestSecretManager().fault(GoogleBench(project), "mine://any", store)
    assert error.fault.name == fault
    assert_no_canary(error.message, error.hint)


def test_a_machine_without_a_login_says_how_to_get_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    set_metadata_server(monkeypatch, 1)
    store = project.store._replace(secrets={})
    error = TestSecretManager().fault(GoogleBench(project), "mine://any", store)
    assert (error.fault.name, "gcloud auth" in error.hint) == ("secret_denied", True)


@pytest.mark.parametrize("text", ["gcpsecrets://acme/portal", "gcpsecrets://acme/portal_2?version=3#id"])
def test_a_good_reference(text: str) -> None:
    assert lint("gcpsecrets", text) == ""


@pytest.mark.parametrize("text", ["gcpsecrets://portal", "gcpsecrets://acme/a/b", "gcpsecrets://acme/a?version=../x"])
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("gcpsecrets", text)


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("https://secretmanager.me-central2.rep.googleapis.com", True),
        ("https://secretmanager-team.p.googleapis.com", True),
        ("https://RESTRICTED.googleapis.com", True),
        ("https://private.googleapis.com:443", True),
        ("https://secretmanager.acme.example", False),
        ("https://googleapis.com.acme.example", False),
        ("https://evilgoogleapis.com", False),
        ("https://127.0.0.1:8443", False),
    ],
)
def test_the_login_of_the_machine_is_for_google_alone(address: str, is_good: bool) -> None:
    store = {"type": "gcpsecrets", "project": "acme", "address": address}
    assert [finding.code for finding in GCPSECRETS.rules(store)] == ([] if is_good else ["missing-key"])
    assert not list(GCPSECRETS.rules({**store, "credentials": "env://KEY"}))
