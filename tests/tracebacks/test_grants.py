"""No token, code or secret of an app is in the tracebacks of logins, renewals and revocations, however they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest

from connform.auth.interface import AuthInputs
from connform.auth.oauth import authorization, token_call
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.server import AuthorizationServer
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.database.memory import MemoryStore, MemoryTokens
from connform.engine.login import Login
from connform.errors import ConnectionFailed
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.http import servers
from tests.http.exchanging import settings_for
from tests.http.servers import Authority, Server, raw
from tests.oauth.setting import TOKEN_URL
from tests.private_keys import assert_no_key
from tests.tracebacks.grants import ANSWERS, KEY, SIGNER, UNREADABLE, client_of, errors_of, renews_then
from tests.tracebacks.test_interruptions import LEFT_TO_THE_COLLECTOR, Interruption, TimeLimit, interrupted_by
from tests.tracebacks.walk import assert_hidden, shown

REDIRECT = "https://localhost/auth"


@pytest.fixture(scope="module")
def errors(authority: Authority) -> Iterator[dict[str, BaseException]]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_call, "CALL_S", 1.0)
        yield errors_of(stack, authority)


def test_no_failed_call_of_a_token_endpoint_shows_what_was_sent_or_answered(errors: dict[str, BaseException]) -> None:
    for name, error in errors.items():
        assert_hidden(error, name)
        for where, data in shown(error):
            assert_no_key(KEY, data, where=where)
            assert b"eyJ" not in data, f"{where} holds a JWT, after {name}"


@pytest.mark.parametrize("authentication", ["basic", "body"])
@pytest.mark.parametrize("case", ["the grant is refused", "the app is refused", "500", "reset", "a page"])
def test_a_request_whose_renewal_fails_shows_nothing_of_it(
    case: str, authentication: str, authority: Authority
) -> None:
    behaviour = (ANSWERS | UNREADABLE)[case]

    async def ask(server: Server) -> None:
        async with client_of(server, is_async=True, authentication=authentication) as client:
            await client.get("/x")

    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        with client_of(server, authentication=authentication) as client, pytest.raises(ConnectionFailed) as raised:
            client.get("/x")
        with pytest.raises(ConnectionFailed) as raised_async:
            asyncio.run(ask(server))
    assert_hidden(raised.value, case)
    assert_hidden(raised_async.value, case)


def test_a_request_that_fails_behind_its_renewal_shows_no_token(authority: Authority) -> None:
    with Server(renews_then(servers.reset), tls=authority.server(), ca_pem=authority.pem) as server:
        with client_of(server) as client, pytest.raises(ConnectionFailed) as raised:
            client.get("/x")
        assert len(server.requests) == 1
    assert_hidden(raised.value, "a renewal")


@LEFT_TO_THE_COLLECTOR
@pytest.mark.parametrize("authentication", ["basic", "body", "private_key_jwt"])
@pytest.mark.parametrize("place", ["handshake", "answer", "body"])
def test_a_signal_in_a_call_of_a_token_endpoint_shows_nothing_of_it(
    place: str, authentication: str, authority: Authority
) -> None:
    behaviours = {
        "handshake": servers.silent,
        "answer": raw(then=servers.silent),
        "body": ANSWERS["tokens, then silence"],
    }
    tls = None if place == "handshake" else authority.server()
    with Server(behaviours[place], tls=tls, ca_pem=authority.pem) as server:
        settings = settings_for(server, credential=None, connect_s=20)
        endpoint = TokenEndpoint(TOKEN_URL, App("acme", Secret(AWKWARD), authentication, SIGNER), settings)
        for kind in (Interruption, TimeLimit):
            with pytest.raises(kind) as raised, interrupted_by(kind):
                endpoint.refresh(Secret(API_KEY))
            assert_hidden(raised.value, place)


CALLBACKS = {
    "another state": {"code": API_KEY, "state": AWKWARD},
    "another issuer": {"code": API_KEY, "iss": f"https://evil.example/{API_KEY}"},
    "the person says no": {"error": "access_denied", "error_description": API_KEY},
    "no code": {"session": API_KEY},
    "another place": {"code": API_KEY, "place": "https://elsewhere.example/"},
    "rubbish": {"code": API_KEY, "place": "rubbish "},
    "a code that is refused": {"code": API_KEY},
}


@pytest.mark.parametrize("case", CALLBACKS)
def test_no_login_that_fails_shows_the_address_or_the_code(case: str, authority: Authority) -> None:
    with Server(ANSWERS["the grant is refused"], tls=authority.server(), ca_pem=authority.pem) as server:
        store = MemoryStore()
        given = AuthInputs(
            "customer",
            {"client_id": "acme", "redirect_uri": REDIRECT, "issuer": ""},
            {"client_secret": Secret(AWKWARD)},
            "X-Api-Key",
            AuthorizationServer(),
            lambda: store,
            MemoryTokens,
            settings_for(server, credential=None),
        )
        given = given._replace(settings={**given.settings, "authorize_url": TOKEN_URL, "token_url": TOKEN_URL})
        login = Login(given, ("profile",))
        parameters = {"state": login._request.state.reveal(), **CALLBACKS[case]}
        address = f"{parameters.pop('place', REDIRECT)}?{urlencode(parameters)}"
        with pytest.raises(ConnectionFailed) as raised:
            login.finish(Secret(address))
    assert_hidden(raised.value, case)
    state = login._request.state.reveal()
    assert state not in str(raised.value)


def test_nothing_of_a_login_is_in_its_request() -> None:
    request = authorization.start("https://login.example.test/", "acme", REDIRECT, ["profile"])
    with pytest.raises(ConnectionFailed) as raised:
        authorization.read_callback(request, f"{REDIRECT}?state={API_KEY}")
    assert raised.value.fault.name == "login_state_mismatch"
