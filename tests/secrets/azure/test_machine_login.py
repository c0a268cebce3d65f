"""The login of the machine, by azure-identity, at a server that plays its sources of tokens."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connform.errors import SecretUnresolved
from connform.secret import Secret
from connform.secrets.azure.backend import AZUREKV
from connform.secrets.azure.login import token_of
from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_library
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request

require_library("azure.identity")
from azure.core.pipeline.transport import HttpTransport  # noqa: E402  (where the library is)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Use list.search:DeprecationWarning"
)  # azure-identity 1.16, a newer msal
ADDRESS = {"address": "https://acme.vault.azure.net"}
ANOTHER = {"AZURE_CLIENT_ID": "another", "AZURE_TENANT_ID": "acme", "AZURE_CLIENT_SECRET": API_KEY}


class Identities:
    """An endpoint of managed identities, or the token endpoint of Entra ID."""

    def __init__(self, tls: Any) -> None:
        self.answer: tuple[int, Any] = (200, {"access_token": API_KEY, "expires_on": "4102444800", "resource": "x"})
        self.server = ApiServer(self._handle, tls)

    def _handle(self, request: Request) -> tuple[int, Any]:
        if "openid-configuration" in request.path:
            issuer = f"{self.server.address}/acme"
            return 200, {"issuer": issuer, "token_endpoint": f"{issuer}/token", "authorization_endpoint": f"{issuer}/a"}
        return self.answer


@pytest.fixture
def app_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identities]:
    identities = Identities(None)
    monkeypatch.setenv("IDENTITY_ENDPOINT", identities.server.address)
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    yield identities
    identities.server.stop()


@pytest.fixture
def imds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identities]:
    """The endpoint that virtual machines have."""
    identities = Identities(None)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", identities.server.address)
    yield identities
    identities.server.stop()


def get_token(**settings: Any) -> Secret:
    return token_of(StoreConfig(Path(), ADDRESS | settings, timeout_s=10))


def failure(**settings: Any) -> SecretUnresolved:
    with pytest.raises(SecretUnresolved) as caught:
        get_token(**settings)
    assert_no_canary(caught.value.message, caught.value.hint)
    return caught.value


@pytest.mark.parametrize("client", ["5b1c", ""])
def test_a_managed_identity_is_the_one_that_the_store_names(app_service: Identities, client: str) -> None:
    token = get_token(**({"client_id": client} if client else {}))
    (request,) = app_service.server.requests
    assert token.reveal() == API_KEY
    assert (request.query.get("client_id", ""), request.query["resource"]) == (client, "https://vault.azure.net")


def test_the_environment_does_not_replace_the_identity_of_the_store(
    app_service: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in ANOTHER.items():
        monkeypatch.setenv(name, text)
    get_token(client_id="5b1c")
    assert [request.query["client_id"] for request in app_service.server.requests] == ["5b1c"]


def test_several_identities_are_said(imds: Identities) -> None:
    text = "Multiple user assigned identities exist, please specify the clientId / resourceId"
    imds.answer = (400, {"error": "invalid_request", "error_description": text})
    error = failure()
    assert (error.fault.name, "several identities" in error.message) == ("secret_denied", True)
    assert "`client_id`" in error.hint


@pytest.fixture
def entra(authority: Issuer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identities]:
    """Entra ID, and a workload identity of this machine."""
    entra = Identities(authority.loopback())
    (tmp_path / "jwt").write_text("federated")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "jwt"))
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID"):
        monkeypatch.setenv(name, "of-the-pod")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com")
    monkeypatch.setattr(HttpTransport, "sleep", lambda *_: None)  # between repetitions
    yield entra
    entra.server.stop()


def test_a_workload_identity_logs_in_with_what_the_store_names(entra: Identities) -> None:
    entra.answer = (200, {"access_token": API_KEY, "token_type": "Bearer", "expires_in": 3599})
    token = get_token(client_id="reader", tenant_id="acme", authority=entra.server.address)
    sent = [request for request in entra.server.requests if request.method == "POST"]
    assert token.reveal() == API_KEY
    assert [(one.path, one.form["client_id"], one.form["client_assertion"]) for one in sent] == [
        ("/acme/oauth2/v2.0/token", "reader", "federated")
    ]


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, "secret_denied"),
        (401, "secret_denied"),
        (429, "secret_backend_unavailable"),
        (503, "secret_backend_unavailable"),
    ],
)
def test_an_entra_id_that_judges_no_login_is_no_refusal(entra: Identities, status: int, fault: str) -> None:
    entra.answer = (status, {"error": "invalid_client", "error_description": API_KEY})
    assert failure(client_id="reader", tenant_id="acme", authority=entra.server.address).fault.name == fault


def test_an_entra_id_that_cannot_be_reached_is_no_refusal(entra: Identities) -> None:
    entra.server.stop()
    error = failure(client_id="reader", tenant_id="acme", authority=entra.server.address)
    assert (error.fault.name, "can't be reached" in error.message) == ("secret_backend_unavailable", True)


def test_an_identity_of_the_store_excludes_logins_of_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "az"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")  # releases that don't know the first
    error = failure(client_id="5b1c")
    assert (error.fault.name, "leave out `client_id`" in error.hint) == ("secret_denied", True)
    assert not (tmp_path / "called").exists()
    assert failure().fault.name == "secret_denied"
    assert (tmp_path / "called").exists()


def test_nothing_of_a_failed_login_is_logged(
    app_service: Identities, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app_service.answer = (400, {"error": API_KEY, "error_description": API_KEY})
    with caplog.at_level(logging.DEBUG):
        assert failure(client_id="5b1c").fault.name == "secret_denied"
    names = ("azure", "msal", "urllib3")
    assert [record.name for record in caplog.records if record.name.startswith(names)] == []
    assert_no_canary(caplog.text, where="the log")


def test_a_failed_login_writes_nothing_to_the_standard_error() -> None:
    code = (
        "from pathlib import Path\n"
        "from connform.errors import SecretUnresolved\n"
        "from connform.secrets.azure.login import token_of\n"
        "from connform.secrets.kit.interface import StoreConfig\n"
        "try:\n"
        "    token_of(StoreConfig(Path()))\n"
        "except SecretUnresolved as error:\n"
        "    print(error.fault.name)\n"
    )
    environment = {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout.strip(), done.stderr) == ("secret_denied", "")


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"client_id": "a", "tenant_id": "b", "authority": "https://login.microsoftonline.us"}, []),
        ({"authority": "https://login.acme.example"}, ["missing-key"]),
        ({"authority": "https://login.microsoftonline.us.acme.example"}, ["missing-key"]),
        ({"resource": "https://vault.azure.net"}, ["missing-key"]),
        ({"resource": "http://vault.azure.net"}, ["insecure-url", "missing-key"]),
    ],
    ids=["cloud", "own-authority", "look-alike", "resource", "plain-http"],
)
def test_the_login_of_the_machine_is_for_microsoft_alone(settings: dict[str, str], found: list[str]) -> None:
    assert [finding.code for finding in AZUREKV.rules(ADDRESS | settings)] == found
    client = {"client_id": "a", "tenant_id": "b", "client_secret": "env://A"}
    assert [finding.code for finding in AZUREKV.rules(ADDRESS | settings | client)] == [
        code for code in found if code != "missing-key"
    ]
