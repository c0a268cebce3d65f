"""A login by device code against the simulator: what the person does comes from the test (RFC 8628)."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import pytest

from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.device import DeviceAuthorization
from connform.auth.oauth.server import AuthorizationServer, discover
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.errors import ConnectionFailed, ConnformError
from connform.http.settings import ClientSettings, Network
from connform.secret import Secret
from connform.simulator import Simulator
from tests.canary import AWKWARD
from tests.simulator.client import ask

HOST = "login.acme.example"


def begun(simulator: Simulator) -> DeviceAuthorization:
    network = Network(route=simulator.route, ca_pem=simulator.ca_pem)
    settings = ClientSettings(f"https://{HOST}", network=network)
    endpoint = TokenEndpoint(f"https://{HOST}/connect/token", App("tv", Secret(AWKWARD)), settings)
    return DeviceAuthorization(endpoint, f"https://{HOST}/connect/deviceauthorization", ["read", "offline_access"])


def test_tokens_come_once_the_person_has_consented(simulator: Simulator) -> None:
    login = begun(simulator)
    assert login.poll() is None
    simulator.authorize_device(login.prompt.user_code)
    tokens = login.poll()
    assert tokens is not None
    assert (tokens.scopes, tokens.refresh_token is not None) == (("read", "offline_access"), True)
    answer = ask(
        simulator, "GET", "/me", {"Authorization": f"Bearer {tokens.access_token.reveal()}"}, host="api.example"
    )
    assert answer.status == 200
    with pytest.raises(ConnectionFailed) as caught:
        login.poll()
    assert caught.value.fault.name == "login_bad_callback"


def test_a_person_may_say_no(simulator: Simulator) -> None:
    login = begun(simulator)
    simulator.authorize_device(login.prompt.user_code.lower(), allow=False)
    with pytest.raises(ConnectionFailed) as caught:
        login.poll()
    assert caught.value.fault.name == "login_denied"


def test_who_polls_too_often_is_told_to_slow_down(simulator: Simulator) -> None:
    login = begun(simulator)
    pauses = []
    for pause_s in (0, 0, 0.6):
        time.sleep(pause_s)
        assert login.poll() is None
        pauses.append(login.pause_s)
    assert pauses == [1, 6, 6]


def test_a_code_that_nobody_waits_with_is_an_error(simulator: Simulator) -> None:
    code = begun(simulator).prompt.user_code
    simulator.authorize_device(code)
    for wrong in (code, "BCDF-GHJK"):
        with pytest.raises(ConnformError, match="no login waits with this code"):
            simulator.authorize_device(wrong)


def test_a_browser_shows_the_page_with_the_code(simulator: Simulator) -> None:
    login = begun(simulator)
    address = login.prompt.complete_address.removeprefix(f"https://{HOST}")
    page = ask(simulator, "GET", address, {}, host=HOST)
    assert (page.status, f"value='{login.prompt.user_code}'".encode() in page.body) == (200, True)
    body = urlencode({"user_code": login.prompt.user_code, "decision": "allow"}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    statuses = [ask(simulator, "POST", "/connect/device", headers, body, host=HOST).status for _ in range(2)]
    assert statuses == [200, 400]
    assert login.poll() is not None


def test_an_issuer_says_where_its_endpoints_are(simulator: Simulator) -> None:
    issuer = f"https://{HOST}/tenant"
    settings = ClientSettings(issuer, network=Network(route=simulator.route, ca_pem=simulator.ca_pem))
    needed = ("authorize_url", "token_url", "device_authorization_url")
    found = discover(AuthorizationServer(issuer=issuer), settings, needed)
    assert found.token_url == f"https://{HOST}/connect/token"
    assert found.device_authorization_url == f"https://{HOST}/connect/deviceauthorization"
