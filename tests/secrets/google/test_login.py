"""The login to Google Cloud: application default credentials, the metadata server, quota projects, regions, logs."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from inspect import signature
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connform.errors import SecretUnresolved
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_library
from tests.ports import free_ports
from tests.secrets.google.stand_in import StandIn, set_metadata_server, value

require_library("google.auth")
from google.auth import _cloud_sdk  # noqa: E402  (the same)
from google.auth.compute_engine import _metadata  # noqa: E402  (where the library is)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A socket whose connections are established, and where nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def connections(server: socket.socket) -> int:
    """Return how many connections there were."""
    for count in itertools.count():
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
    raise AssertionError


class MetadataServer(HTTPServer):
    """The metadata server of a machine in Google Cloud. It listens at once, and answers from `start` on."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            account = {"email": "reader@acme.iam.gserviceaccount.com", "scopes": ["cloud-platform"]}
            token = {"access_token": API_KEY, "expires_in": 3600, "token_type": "Bearer"}
            content = token if path.endswith("/token") else account
            data = json.dumps(content).encode()
            self.send_response(404 if "universe" in path else 200)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.port = self.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


def test_a_secret_of_a_region_has_its_location_in_its_path(stand_in: StandIn) -> None:
    assert value(stand_in.read(location="europe-west3")) == "found"
    expected = "/v1/projects/acme/locations/europe-west3/secrets/key/versions/latest:access"
    assert stand_in.server.requests[-1].path == expected


def test_the_quota_project_of_the_login_is_sent(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "adc.json"
    login = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    file.write_text(json.dumps(login | {"quota_project_id": "billing-prj"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{stand_in.server.address}/token")
    assert value(stand_in.read(by_machine=True)) == "found"
    request = stand_in.server.requests[-1]
    assert (request.headers["x-goog-user-project"], request.authorization) == ("billing-prj", f"Bearer {API_KEY}")


def test_without_a_quota_project_none_is_sent(stand_in: StandIn) -> None:
    stand_in.read()
    assert "x-goog-user-project" not in stand_in.server.requests[-1].headers


def test_a_silent_metadata_server_is_asked_once(
    stand_in: StandIn, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_metadata_server(monkeypatch, silent.getsockname()[1])
    monkeypatch.setattr("connform.secrets.google.login._METADATA_S", 0.2)
    error = stand_in.read(by_machine=True)
    assert isinstance(error, SecretUnresolved)
    assert (error.fault.name, "application default credentials" in error.message) == ("secret_denied", True)
    assert connections(silent) == 1


def test_a_metadata_server_that_answers_late_is_one(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    if signature(_metadata.get).parameters["root"].default is not None:
        pytest.skip("this release of google-auth asks the address that it knew when it was imported")
    metadata = MetadataServer()
    threading.Timer(0.5, metadata.start).start()
    set_metadata_server(monkeypatch, metadata.port)
    try:
        assert value(stand_in.read(by_machine=True)) == "found"
    finally:
        metadata.stop()


def test_nothing_of_a_login_is_logged(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        stand_in.read()
        stand_in.token = (400, {"error": API_KEY, "error_description": API_KEY})
        stand_in.read()
    assert [record.name for record in caplog.records if record.name.startswith(("google", "urllib3"))] == []
    assert_no_canary(caplog.text, where="the log")


def test_what_google_auth_warns_of_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
    of_gcloud = {"type": "authorized_user", "client_id": _cloud_sdk.CLOUD_SDK_CLIENT_ID, "client_secret": "s"}
    (tmp_path / "adc.json").write_text(json.dumps({**of_gcloud, "refresh_token": "r"}))  # no quota project: it warns
    (tmp_path / "connections.yaml").write_text(
        "version: 1\n"
        f"stores: {{google: {{type: gcpsecrets, project: acme-prod, proxy: 'http://127.0.0.1:{free_ports(1)[0]}'}}}}\n"
        "connections:\n"
        "  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: 'google://key'}}\n"
    )
    command = [sys.executable, "-m", "connform", "secrets", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "token endpoint can't be reached" in done.stdout
    assert (done.returncode, done.stderr) == (5, "")


@pytest.mark.parametrize("source", [{"file": "/nowhere/token"}, {"executable": {"command": "/bin/false"}}])
def test_credentials_of_the_machine_that_name_what_is_not_there_are_said(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: dict[str, object]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme-prod")
    pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"
    kinds = {"type": "external_account", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
    urls = {"audience": pool, "token_url": "https://sts.googleapis.com/v1/token"}
    (tmp_path / "adc.json").write_text(json.dumps({**kinds, **urls, "credential_source": source}))
    outcome = stand_in.read(by_machine=True)
    assert isinstance(outcome, SecretUnresolved)
    assert (outcome.fault.name, "GOOGLE_APPLICATION_CREDENTIALS" in outcome.hint) == ("secret_denied", True)


def test_a_key_that_is_none_has_a_hint_of_its_own(stand_in: StandIn) -> None:
    stand_in.key = {"type": "authorized_user"}
    outcome = stand_in.read()
    assert isinstance(outcome, SecretUnresolved)
    assert (outcome.fault.name, "gcloud iam service-accounts keys" in outcome.hint) == ("secret_malformed", True)
