"""What a login by device code makes of every answer (RFC 8628 §3.2, §3.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.device import DeviceAuthorization
from connform.auth.oauth.server import TokenOptions
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.errors import ConnectionFailed
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.http import servers
from tests.http.exchanging import settings_for
from tests.http.servers import HOST, Authority, Behaviour, Connection, Server, answer, head, raw
from tests.oauth.setting import TOKEN_URL, body, error
from tests.oauth.test_token_requests import sent
from tests.tracebacks.walk import assert_hidden

URL = f"https://{HOST}/device"
CODES = {
    "device_code": API_KEY,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://login.acme.example/device",
    "expires_in": 1800,
    "interval": 7,
}


def codes(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in {**CODES, **changes}.items() if value is not None}).encode()


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(codes()), tls=authority.server(), ca_pem=authority.pem) as running:
        yield running


def begin(server: Server, **more: Any) -> DeviceAuthorization:
    endpoint = TokenEndpoint(
        TOKEN_URL, App("tv", Secret(AWKWARD), "body"), settings_for(server, credential=None), **more
    )
    return DeviceAuthorization(endpoint, URL, ["read", "write"])


def test_the_codes_are_asked_for_with_the_client_and_its_parameters(server: Server) -> None:
    asked = begin(server, options=TokenOptions({"audience": "api"}, "json"))
    target, headers, form = sent(server)
    assert (target, headers["content-type"]) == ("/device", "application/x-www-form-urlencoded")
    assert form == {"scope": "read write", "audience": "api", "client_id": "tv", "client_secret": AWKWARD}
    assert asked.prompt == ("https://login.acme.example/device", "WDJB-MJHT", "")
    assert asked.pause_s == 7
    assert_no_canary(repr(asked.prompt))


@pytest.mark.parametrize(
    ("changes", "prompt", "pause_s"),
    [
        ({"interval": None}, ("https://login.acme.example/device", "WDJB-MJHT", ""), 5),
        ({"interval": 0}, ("https://login.acme.example/device", "WDJB-MJHT", ""), 5),
        (
            {"verification_uri": None, "verification_url": "https://a.example/d"},
            ("https://a.example/d", "WDJB-MJHT", ""),
            7,
        ),
        (
            {"verification_uri_complete": "https://a.example/d?c=1"},
            ("https://login.acme.example/device", "WDJB-MJHT", "https://a.example/d?c=1"),
            7,
        ),
        (
            {"verification_uri_complete": "javascript:alert(1)"},
            ("https://login.acme.example/device", "WDJB-MJHT", ""),
            7,
        ),
    ],
)
def test_what_servers_leave_out_or_name_otherwise(
    server: Server, changes: dict[str, Any], prompt: tuple[str, str, str], pause_s: float
) -> None:
    server.behaviour = answer(codes(**changes))
    asked = begin(server)
    assert (asked.prompt, asked.pause_s) == (prompt, pause_s)


NO_CODES: dict[str, tuple[Behaviour, str]] = {
    "no device code": (answer(codes(device_code=None)), "token_endpoint_unavailable"),
    "no user code": (answer(codes(user_code=None)), "token_endpoint_unavailable"),
    "a user code with a control character": (answer(codes(user_code="\x1b[2J")), "token_endpoint_unavailable"),
    "no address": (answer(codes(verification_uri=None)), "token_endpoint_unavailable"),
    "an address that is none": (answer(codes(verification_uri="javascript:x")), "token_endpoint_unavailable"),
    "a page": (answer(b"<html>"), "token_endpoint_unavailable"),
    "a gateway": (answer(b"", status=502), "token_endpoint_unavailable"),
    "a wrong app": (error("invalid_client", 401), "client_credentials_rejected"),
    "an app that may not": (error("unauthorized_client"), "client_credentials_rejected"),
    "a scope that is unknown": (error("invalid_scope"), "token_endpoint_unavailable"),
    "a reset": (raw(then=servers.reset), "token_endpoint_unavailable"),
}


@pytest.mark.parametrize("case", NO_CODES)
def test_a_login_without_codes_does_not_begin(server: Server, case: str) -> None:
    server.behaviour, fault = NO_CODES[case]
    with pytest.raises(ConnectionFailed) as raised:
        begin(server)
    failure = raised.value
    assert (failure.fault.name, "device authorization endpoint" in failure.message) == (fault, True)
    assert "sends the token" not in failure.hint
    assert_hidden(failure, case)


def after_codes(*answers: Behaviour) -> Behaviour:
    """Answer the first connection with codes, and each later one in its own way."""

    def behave(connection: Connection) -> None:
        number = connection.server.connections - 1
        (answer(codes()), *answers)[min(number, len(answers))](connection)

    return behave


POLLS: dict[str, tuple[Behaviour, float]] = {
    "pending": (error("authorization_pending"), 7),
    "slow down": (error("slow_down"), 12),
    "slow down, said by 429": (answer(b"", status=429), 12),
    "a gateway": (answer(b"<html>", status=503), 14),
    "a reset": (raw(then=servers.reset), 14),
    "a lost answer": (raw(head(200, ["Content-Length: 9"])), 14),
}


@pytest.mark.parametrize("case", POLLS)
def test_a_poll_without_tokens_says_when_to_poll_again(server: Server, case: str) -> None:
    behaviour, pause_s = POLLS[case]
    server.behaviour = after_codes(behaviour, answer(body()))
    asked = begin(server)
    assert asked.poll() is None
    assert asked.pause_s == pause_s
    tokens = asked.poll()
    assert tokens is not None
    assert tokens.access_token.reveal() == "new"


ENDS: dict[str, tuple[Behaviour, str]] = {
    "the person says no": (error("access_denied"), "login_denied"),
    "the codes have ended": (error("expired_token"), "login_timeout"),
    "the code is spent": (error("invalid_grant"), "login_bad_callback"),
    "the app is refused": (error("invalid_client", 401), "client_credentials_rejected"),
    "another error": (error("something_new"), "token_endpoint_unavailable"),
}


@pytest.mark.parametrize("case", ENDS)
def test_what_ends_a_login_is_not_asked_again(server: Server, case: str) -> None:
    behaviour, fault = ENDS[case]
    server.behaviour = after_codes(behaviour)
    asked = begin(server)
    with pytest.raises(ConnectionFailed) as raised:
        asked.poll()
    assert raised.value.fault.name == fault
    assert_hidden(raised.value, case)
