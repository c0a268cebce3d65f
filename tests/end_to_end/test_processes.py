"""What a process pool hands over: every error and every report arrives in the other process as it was sent."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

import connform
from connform.auth.oauth.token_answer import EndpointFailed
from connform.engine.login import CodeRefused
from connform.engine.run.simulator_process import SimulatorFailed
from connform.errors import ConnectionFailed, ConnformError, NoBaseline, PlanUnusable, RateLimited, Refused, StoreFailed
from connform.http.failures import OriginRefused, RequestFailed, RequestLacksSecret, RequestTimedOut
from connform.servers.monitor.credentials import CredentialsUnreadable
from connform.servers.monitor.server import ListenFailed
from connform.servers.monitor.tls import CertificateUnreadable
from tests.canary import API_KEY

MANIFEST = """\
version: 1
connections:
  acme:
    provider: http
    base_url: http://127.0.0.1:1
    check: {path: /me, expect: {body: {const: {}}}}
    auth: {method: api_key, api_key: env://ACME_KEY}
"""
ERRORS: list[ConnformError] = [
    ConnformError("the run failed"),
    connform.UnknownConnection("no connection is called acme"),
    NoBaseline("there is no commit main"),
    Refused("40 % would be removed"),
    PlanUnusable("plan.json was altered"),
    ConnectionFailed("tcp_refused", "nobody listens", "start it"),
    connform.SecretUnresolved("secret_not_found", "there is no file key"),
    StoreFailed("Vault answered 500", "see its log"),
    RateLimited("Vault answered 429", retry_after_s=2.5),
    EndpointFailed("token_endpoint_unavailable", "it answered 503", "wait", 4.0),
    OriginRefused("https://a.example", "https://b.example"),
    RequestFailed("http_bad_reply", "no HTTP", sent=True),
    RequestTimedOut("http_timeout", "no answer", sent=False),
    RequestLacksSecret("secret_not_found", "there is no secret", sent=False),
    CodeRefused("login_bad_callback", "the code was refused", "log in again"),
    CertificateUnreadable("the files don't belong together"),
    CredentialsUnreadable("line 1 is too short"),
    ListenFailed("the port is in use"),
    SimulatorFailed("its process ended"),
]


def handed_over(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def kinds(root: type[ConnformError]) -> set[type[ConnformError]]:
    """Return the classes of connform's errors; private ones don't leave their module."""
    is_own = root.__module__.startswith("connform.") and not root.__name__.startswith("_")
    own = {root} if is_own else set()
    return own.union(*map(kinds, root.__subclasses__()))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACME_KEY", API_KEY)
    path = tmp_path / "connections.yaml"
    path.write_text(MANIFEST)
    return path


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_whole(error: ConnformError) -> None:
    again = handed_over(error)
    assert type(again) is type(error)
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_no_kind_of_error_is_left_out() -> None:
    assert {type(error) for error in ERRORS} | {connform.ManifestInvalid} == kinds(ConnformError)


def test_a_request_stays_behind_for_it_may_hold_a_secret() -> None:
    error = RequestFailed("http_bad_reply", "no HTTP")
    error.request = httpx.Request("GET", "https://a.example", headers={"api_key": "hidden"})
    assert b"hidden" not in pickle.dumps(error)


def test_an_invalid_manifest_arrives_with_its_diagnostics(file: Path) -> None:
    file.write_text(MANIFEST.replace("path: /me", "pat: /me"))
    with pytest.raises(connform.ManifestInvalid) as caught:
        connform.load(file)
    again = handed_over(caught.value)
    assert (str(again), again.diagnostics) == (str(caught.value), caught.value.diagnostics)


@pytest.mark.parametrize(
    "verb", [connform.validate, connform.check, connform.plan, connform.apply], ids=lambda verb: verb.__name__
)
def test_a_report_arrives_whole(file: Path, verb: Any) -> None:
    report = verb(file)
    assert handed_over(report) == report


def test_the_report_of_a_healthy_connection_arrives_whole(file: Path) -> None:
    file.write_text(
        "version: 1\nconnections: {acme: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://A}}}\n"
    )
    report = connform.check(file, simulate=True)
    assert report.connections[0].fault == ""
    assert handed_over(report) == report
