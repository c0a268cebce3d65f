"""The simulated authorization server: consent, codes, rotation, revocation, and what it does wrong on demand."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import pytest

import connform
from connform.auth.oauth import authorization
from connform.errors import ConnectionFailed, ConnformError
from connform.simulator import Simulator
from tests.simulator.client import LIST, SANDBOX, Answer, ask

REDIRECT = "https://localhost/auth"
SECRET = "s:%+&=/"
AUTHORIZE = f"https://{SANDBOX}/connect/authorize"
MANIFEST = f"""\
version: 1
connections:
  customer:
    environment: sandbox
    region: us
    auth:
      method: oauth2
      client_id: acme
      client_secret: env://PORTAL_SECRET
      redirect_uri: {REDIRECT}
"""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(token_lifetime_s=1.0) as simulator:
        yield simulator


def basic(client_id: str = "acme", secret: str = SECRET) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def post(simulator: Simulator, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask(
        simulator,
        "POST",
        f"/connect/{path}",
        {**kind, **(basic() if headers is None else headers)},
        urlencode(form).encode(),
    )


def begun() -> authorization.AuthorizationRequest:
    return authorization.start(AUTHORIZE, "acme", REDIRECT, ["profile", "offline_access"], f"https://{SANDBOX}")


def tokens(simulator: Simulator) -> dict[str, Any]:
    """Log in, and return what the code brings."""
    request = begun()
    code = authorization.read_callback(request, simulator.authorize(request.url)).reveal()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    answer = post(simulator, "token", {**form, "code_verifier": request.verifier.reveal()})
    assert answer.status == 200
    content: dict[str, Any] = answer.json
    return content


def refresh(simulator: Simulator, token: str) -> Answer:
    return post(simulator, "token", {"grant_type": "refresh_token", "refresh_token": token})


def status_with(simulator: Simulator, token: str) -> int:
    return ask(simulator, "POST", LIST, {"Authorization": f"Bearer {token}"}, {"take": 1, "skip": 0}).status


def test_a_login_brings_tokens_that_work_until_they_end(simulator: Simulator) -> None:
    issued = tokens(simulator)
    assert (issued["token_type"], issued["expires_in"], issued["scope"]) == ("Bearer", 1.0, "profile offline_access")
    assert status_with(simulator, issued["access_token"]) == 200
    time.sleep(1.05)
    ended = ask(simulator, "POST", LIST, {"Authorization": f"Bearer {issued['access_token']}"}, {})
    assert (ended.status, ended.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    renewed = refresh(simulator, issued["refresh_token"]).json
    assert status_with(simulator, renewed["access_token"]) == 200
    assert renewed["refresh_token"] != issued["refresh_token"]


def test_a_refresh_token_that_is_used_twice_ends_the_whole_grant(simulator: Simulator) -> None:
    first = tokens(simulator)
    second = refresh(simulator, first["refresh_token"]).json
    assert refresh(simulator, first["refresh_token"]).json == {"error": "invalid_grant"}
    assert refresh(simulator, second["refresh_token"]).json == {"error": "invalid_grant"}
    assert status_with(simulator, second["access_token"]) == 401


def test_a_code_that_is_used_twice_ends_what_it_brought(simulator: Simulator) -> None:
    request = begun()
    code = authorization.read_callback(request, simulator.authorize(request.url)).reveal()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    form["code_verifier"] = request.verifier.reveal()
    issued = post(simulator, "token", form).json
    assert post(simulator, "token", form).json == {"error": "invalid_grant"}
    assert status_with(simulator, issued["access_token"]) == 401


@pytest.mark.parametrize(
    "form",
    [
        {"code_verifier": "x" * 43},
        {"redirect_uri": "https://localhost/other"},
        {"grant_type": "password"},
    ],
    ids=["verifier", "redirect", "grant type"],
)
def test_an_exchange_that_does_not_fit_brings_nothing(simulator: Simulator, form: dict[str, str]) -> None:
    request = begun()
    code = authorization.read_callback(request, simulator.authorize(request.url)).reveal()
    fitting = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": request.verifier.reveal()}
    answer = post(simulator, "token", {**fitting, "code": code, **form})
    assert (answer.status, set(answer.json)) == (400, {"error"})


@pytest.mark.parametrize(
    ("redirect_uri", "status"),
    [
        ("http://127.0.0.1:8400/cb", 302),
        ("http://[::1]/cb", 302),
        ("http://localhost/cb", 302),
        ("http://app.acme.example/cb", 400),
        ("ftp://localhost/cb", 400),
    ],
)
def test_people_are_sent_back_by_https_or_to_their_own_machine(
    simulator: Simulator, redirect_uri: str, status: int
) -> None:
    query = urlencode({"response_type": "code", "client_id": "acme", "redirect_uri": redirect_uri})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(simulator, "POST", f"/connect/authorize?{query}", kind, b"decision=allow").status == status


def test_an_app_is_known_by_header_and_body_and_by_its_registered_secret(simulator: Simulator) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "unknown"}
    in_body = {**form, "client_id": "acme", "client_secret": SECRET}
    assert post(simulator, "token", in_body, {}).json == {"error": "invalid_grant"}
    simulator.register_client("acme", SECRET)
    assert post(simulator, "token", in_body, {}).json == {"error": "invalid_grant"}
    assert post(simulator, "token", form).json == {"error": "invalid_grant"}
    for wrong in (basic(secret="other"), {}, {"Authorization": "Basic !"}):
        assert post(simulator, "token", form, wrong).status == 401
    public = {**form, "client_id": "acme"}
    assert post(simulator, "token", public, {}).status == 401
    assert post(simulator, "token", {**public, "client_id": "another"}, {}).json == {"error": "invalid_grant"}


def test_revoking_a_refresh_token_ends_the_grant_and_an_unknown_one_is_no_error(simulator: Simulator) -> None:
    issued = tokens(simulator)
    assert post(simulator, "revocation", {"token": "unknown"}).status == 200
    assert status_with(simulator, issued["access_token"]) == 200
    assert post(simulator, "revocation", {"token": issued["refresh_token"]}).status == 200
    assert status_with(simulator, issued["access_token"]) == 401
    assert refresh(simulator, issued["refresh_token"]).status == 400


def test_a_person_sees_a_page_and_may_say_no(simulator: Simulator) -> None:
    target = f"/connect/authorize?{urlsplit(begun().url).query}"
    page = ask(simulator, "GET", target, {})
    assert (page.status, b"This is a simulator" in page.body) == (200, True)
    denied = dict(parse_qsl(urlsplit(simulator.authorize(begun().url, allow=False)).query))
    assert (denied["error"], "state" in denied, "code" in denied) == ("access_denied", True, False)


@pytest.mark.parametrize("change", ["client_id", "redirect_uri"])
def test_a_request_without_app_or_redirect_is_never_redirected(simulator: Simulator, change: str) -> None:
    asked = dict(parse_qsl(urlsplit(begun().url).query)) | {change: ""}
    with pytest.raises(ConnformError):
        simulator.authorize(f"{AUTHORIZE}?{urlencode(asked)}")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_other_requests_come_back_with_an_error(simulator: Simulator, change: dict[str, str], error: str) -> None:
    asked = dict(parse_qsl(urlsplit(begun().url).query)) | change
    assert f"error={error}" in simulator.authorize(f"{AUTHORIZE}?{urlencode(asked)}")


# A ready client against it: what users' own tests do


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    return tmp_path / "connections.yaml"


def calls(simulator: Simulator) -> list[str]:
    return [seen.grant_type for seen in simulator.requests if seen.grant_type]


def test_a_ready_client_renews_its_simulated_grant(simulator: Simulator, manifest: Path) -> None:
    with connform.connect("customer", manifest, simulator=simulator) as client:
        for _ in range(3):
            assert client.post("/packages/list", json={"take": 1, "skip": 0}).status_code == 200
            time.sleep(0.5)
    assert calls(simulator) == ["refresh_token"]


FAULTS = ("token_endpoint_unavailable", "client_credentials_rejected", "login_required", "refresh_interrupted")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_the_token_endpoint_can_be_rehearsed(simulator: Simulator, manifest: Path, fault: str) -> None:
    simulator.fail(SANDBOX, fault, path="/connect/token", times=1)
    with connform.connect("customer", manifest, simulator=simulator) as client:
        assert client.get("/packages/x").status_code == 404
        time.sleep(1.05)
        with pytest.raises(ConnectionFailed) as caught:
            client.get("/packages/x")
    assert caught.value.fault.name == fault


def test_a_lost_answer_of_a_server_that_rotates_ends_the_grant(simulator: Simulator, manifest: Path) -> None:
    simulator.fail(SANDBOX, "refresh_interrupted", path="/connect/token", times=1)
    with connform.connect("customer", manifest, simulator=simulator) as client:
        client.get("/packages/x")
        time.sleep(1.05)
        for _ in range(3):
            with pytest.raises(ConnectionFailed) as caught:
                client.get("/packages/x")
            assert caught.value.fault.name == "refresh_interrupted"
    assert calls(simulator) == ["refresh_token"] * 2


def test_a_401_once_is_renewed_silently_and_for_ever_stands(manifest: Path) -> None:
    with (
        Simulator(token_lifetime_s=4) as simulator,
        connform.connect("customer", manifest, simulator=simulator) as client,
    ):
        client.get("/packages/x")
        time.sleep(2.1)  # older than half of its life: a refusal may be about age
        simulator.fail(SANDBOX, "auth_rejected", path="/api/v1/packages/x", times=1)
        assert client.get("/packages/x").status_code == 404
        simulator.fail(SANDBOX, "auth_rejected", path="/api/v1/packages/x")
        before = len(calls(simulator))
        for _ in range(5):
            assert client.get("/packages/x").status_code == 401
        assert len(calls(simulator)) == before  # the token is young: no storm


def test_requests_show_no_token(simulator: Simulator) -> None:
    issued = tokens(simulator)
    shown = json.dumps([repr(seen) for seen in simulator.requests])
    assert issued["access_token"] not in shown
    assert issued["refresh_token"] not in shown
