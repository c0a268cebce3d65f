"""Every fault that the simulator can show, and nothing but those."""

from __future__ import annotations

import http.client
import json
import re
import select
import ssl
import time
from contextlib import closing

import pytest

from connform.errors import ConnformError
from connform.faults import FAULTS
from connform.simulator import SeenRequest, Simulator
from connform.simulator.faults import REPLIES
from connform.simulator.messages import Delivery
from tests.simulator.client import LIST, SANDBOX, Connection, ask

NEIGHBOUR = "sandbox.syngrafii.eu"
ANSWERED = [
    ("auth_denied", 403, r'"error": "user_not_authorized"'),
    ("auth_rejected", 401, r'"error": "user_not_authenticated"'),
    ("feature_missing", 403, r'"error": "[a-z]+_feature_[a-z]+"'),
    ("denied_by_intermediary", 403, r"<hr>nginx"),
    ("rate_limited", 429, r'"error": '),
    ("server_error", 500, r'"error": '),
    ("server_unavailable", 503, r"<html>"),
    ("http_not_this_api", 200, r"<html>"),
    ("http_redirect_refused", 302, r"^$"),
    ("token_endpoint_unavailable", 503, "nginx"),
    ("client_credentials_rejected", 401, "invalid_client"),
    ("login_required", 400, "invalid_grant"),
]


@pytest.mark.parametrize(("fault", "status", "body"), ANSWERED)
def test_a_host_that_fails_answers_so_whatever_the_credential(
    simulator: Simulator, key: dict[str, str], fault: str, status: int, body: str
) -> None:
    simulator.fail(SANDBOX, fault)
    answer = ask(simulator, "POST", LIST, key, {"take": 1, "skip": 0})
    assert answer.status == status
    assert re.search(body, answer.body.decode())
    assert _is_json(answer.body) == (answer.headers["Content-Type"] == "application/json" and body != "^$")


def test_faults_are_those_that_connform_reports() -> None:
    assert set(REPLIES) - {"slow_token"} <= set(FAULTS)
    undelivered = {name for name, reply in REPLIES.items() if reply.delivery is not Delivery.WHOLE}
    assert set(REPLIES) == {fault for fault, _, _ in ANSWERED} | undelivered


def test_a_rate_limit_says_how_long_to_wait(simulator: Simulator) -> None:
    simulator.fail(SANDBOX, "rate_limited")
    assert ask(simulator, "POST", LIST, {}).headers["Retry-After"] == "1"


def test_a_redirect_leads_to_another_host(simulator: Simulator) -> None:
    simulator.fail(SANDBOX, "http_redirect_refused")
    assert ask(simulator, "POST", LIST, {}).headers["Location"] == "https://elsewhere.example/"


def test_a_bad_reply_breaks_off_in_the_middle_and_closes(simulator: Simulator, key: dict[str, str]) -> None:
    simulator.fail(SANDBOX, "http_bad_reply")
    with pytest.raises(http.client.IncompleteRead):
        ask(simulator, "POST", LIST, key)


def test_a_time_out_is_silence_until_the_client_gives_up(simulator: Simulator, key: dict[str, str]) -> None:
    simulator.fail(SANDBOX, "http_timeout")
    with closing(Connection(simulator, SANDBOX)) as connection:
        connection.connect()
        connection.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.ask("POST", LIST, key)
    assert _statuses(simulator.requests) == [0]


def test_stop_ends_the_silence() -> None:
    with Simulator(faults={SANDBOX: "http_timeout"}) as simulator:
        connection = Connection(simulator, SANDBOX)
        connection.request("POST", LIST)
        while not simulator.requests:
            time.sleep(0.001)
    with pytest.raises((http.client.RemoteDisconnected, ssl.SSLError, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_a_slow_token_is_issued_at_once_and_told_later(simulator: Simulator, key: dict[str, str]) -> None:
    simulator.fail(SANDBOX, "slow_token", path="/connect/token", times=1)
    _, refresh = simulator.issue_grant(SANDBOX, "acme", ("offline_access",))
    asked = f"grant_type=refresh_token&refresh_token={refresh}&client_id=acme&client_secret=any".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with closing(Connection(simulator, SANDBOX)) as connection:
        connection.request("POST", "/connect/token", asked, headers)
        while not simulator.requests:
            time.sleep(0.001)
        assert not select.select([connection.sock], [], [], 0.5)[0]
        assert ask(simulator, "POST", LIST, key).status == 200  # the rest is as quick as ever
        late = connection.getresponse()
        assert (late.status, json.loads(late.read())["scope"]) == (200, "offline_access")
    assert _statuses(simulator.requests) == [200, 200]
    again = ask(simulator, "POST", "/connect/token", headers, asked)  # twice: the token had been spent before
    assert (again.status, again.json) == (400, {"error": "invalid_grant"})


def test_stop_ends_the_wait_for_a_slow_token() -> None:
    with Simulator(faults={SANDBOX: "slow_token"}) as simulator:
        connection = Connection(simulator, SANDBOX)
        connection.request("POST", "/connect/token")
        while not simulator.requests:
            time.sleep(0.001)
    with pytest.raises((http.client.RemoteDisconnected, ssl.SSLError, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_a_fault_concerns_one_host_and_can_be_taken_back(simulator: Simulator, key: dict[str, str]) -> None:
    simulator.fail(SANDBOX.upper(), "server_error")
    assert ask(simulator, "POST", LIST, key).status == 500
    assert ask(simulator, "POST", LIST, key, host=NEIGHBOUR).status == 200
    simulator.fail(SANDBOX, "")
    assert ask(simulator, "POST", LIST, key).status == 200
    assert _statuses(simulator.requests) == [500, 200, 200]


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConnformError, match=r"no fault 'typo'; it has: auth_denied, .*server_unavailable"):
        Simulator(faults={SANDBOX: "typo"})


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _statuses(seen: list[SeenRequest]) -> list[int]:
    return [request.status for request in seen]
