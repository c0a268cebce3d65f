"""What a token request says on the wire, with every option, and what its answers mean where no person is behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from connform.auth.kit.jwt_signer import JwtSigner, JwtTemplate
from connform.auth.kit.signed_jwt import SignedJwtCredential
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.server import AuthorizationServer, TokenOptions
from connform.auth.oauth.token_answer import EndpointFailed
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.tokens.client_credentials import ClientCredentials
from connform.auth.tokens.interface import TokenRequest
from connform.auth.tokens.jwt_bearer import JwtBearer
from connform.auth.tokens.login_answer import TokenLifetime
from connform.auth.tokens.login_call import LoginCall
from connform.errors import ConnectionFailed
from connform.http import sync_client
from connform.http.credential import HeaderLines
from connform.http.header import HeaderCredential
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.http import servers
from tests.http.exchanging import settings_for
from tests.http.servers import HOST, Authority, Behaviour, Server, answer, raw, redirect
from tests.oauth.setting import TOKEN_URL, Setting, body, credential, error
from tests.private_keys import assert_no_key, pem_of
from tests.tracebacks.walk import assert_hidden, shown

KEY = pem_of(ed25519.Ed25519PrivateKey.generate())
SIGNER = JwtSigner(JwtTemplate("EdDSA", issuer="acme", subject="acme", audience="a"), Secret(KEY), key="private_key")
ISSUES = answer(body(access_token="issued", refresh_token=None))
LOGIN_URL = f"https://{HOST}/login"


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(ISSUES, tls=authority.server(), ca_pem=authority.pem) as running:
        yield running


def sent(server: Server) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the target, the headers and the content of the only request."""
    (request,) = server.requests
    top, _, content = request.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers["content-type"] == "application/json":
        return first.split()[1], headers, json.loads(content)
    return first.split()[1], headers, {name: value for name, (value,) in parse_qs(content.decode()).items()}


def endpoint(server: Server, app: App, url: str = TOKEN_URL, **more: Any) -> TokenEndpoint:
    return TokenEndpoint(url, app, settings_for(server, credential=None), **more)


def services(server: Server, app: App = App("acme", None), **more: Any) -> ClientCredentials:  # noqa: B008  (immutable)
    return ClientCredentials(endpoint(server, app, **more), ["read", "write"], {})


def logins(server: Server, **more: Any) -> LoginCall:
    settings = settings_for(server, credential=None)
    content = more.pop("content", {"user": "acme", "password": Secret(AWKWARD)})
    return LoginCall(LOGIN_URL, content, settings, token_at=more.pop("token_at", "/token"), bound_to={}, **more)


def soon() -> float:
    return monotonic() + 20


def test_further_parameters_are_sent_and_replace_none_of_the_grant(server: Server) -> None:
    options = TokenOptions({"audience": "https://api.example/", "key": Secret(AWKWARD), "grant_type": "password"})
    tokens = services(server, url=f"{TOKEN_URL}?tenant=a%2Fb", options=options).obtain(soon())
    target, headers, form = sent(server)
    assert target == "/connect/token?tenant=a%2Fb"
    assert form == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "https://api.example/",
        "key": AWKWARD,
        "client_id": "acme",
    }
    assert "authorization" not in headers
    assert (tokens.access_token.reveal(), tokens.lifetime_s) == ("issued", 3600)


def test_a_server_may_want_json(server: Server) -> None:
    app = App("acme", Secret(AWKWARD), "body")
    services(server, app, options=TokenOptions({"audience": "a"}, "json")).obtain(soon())
    _, headers, content = sent(server)
    assert headers["content-type"] == "application/json"
    assert content == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "a",
        "client_id": "acme",
        "client_secret": AWKWARD,
    }


def test_no_scope_is_sent_without_scopes(server: Server) -> None:
    ClientCredentials(endpoint(server, App("acme", None)), [], {}).obtain(soon())
    assert sent(server)[2] == {"grant_type": "client_credentials", "client_id": "acme"}


def test_a_refresh_token_goes_to_the_address_for_it_and_no_other_token_does(server: Server) -> None:
    made = endpoint(server, App("acme", None), refresh_url=f"https://{HOST}/refresh", options=TokenOptions({"a": "b"}))
    made.refresh(Secret("spent"))
    assert sent(server)[0] == "/refresh"
    server.requests.clear()
    made.exchange(Secret("code"), Secret("verifier"), "https://localhost/auth")
    target, _, form = sent(server)
    assert (target, form["a"], form["code_verifier"]) == ("/connect/token", "b", "verifier")


def test_the_renewal_of_a_grant_uses_the_options_of_its_server(setting: Setting) -> None:
    options, address = TokenOptions({"resource": "r"}, "json"), f"https://{HOST}/refresh"
    declared = AuthorizationServer(token_url=TOKEN_URL, refresh_url=address, options=options)
    credential(setting.server, setting.store, authentication="basic", declared=declared).renew()
    target, _, content = sent(setting.server)
    assert (target, content) == ("/refresh", {"resource": "r", "grant_type": "refresh_token", "refresh_token": AWKWARD})


def test_a_code_without_pkce_has_no_verifier(server: Server) -> None:
    endpoint(server, App("acme", None)).exchange(Secret("code"), Secret(""), "https://localhost/auth")
    assert "code_verifier" not in sent(server)[2]


def test_a_client_that_signs_sends_a_new_assertion_each_time(server: Server) -> None:
    """RFC 7523 §2.2."""
    request = services(server, App("acme", None, "private_key_jwt", SIGNER))
    assertions = set()
    for _ in range(2):
        request.obtain(soon())
        _, headers, form = sent(server)
        server.requests.clear()
        assertions.add(form.pop("client_assertion"))
        assert "authorization" not in headers
        assert form == {
            "grant_type": "client_credentials",
            "scope": "read write",
            "client_id": "acme",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
    assert len(assertions) == 2


@pytest.mark.parametrize(("client", "named"), [("", {}), ("acme", {"client_id": "acme"})])
def test_a_jwt_is_a_grant_with_and_without_a_client(server: Server, client: str, named: dict[str, str]) -> None:
    """RFC 7523 §2.1."""
    JwtBearer(endpoint(server, App(client, None)), SIGNER, ["read"], {}).obtain(soon())
    _, _, form = sent(server)
    assert form.pop("assertion").count(".") == 2
    assert form == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "scope": "read", **named}


Request = Callable[[Server], TokenRequest]
REQUESTS: dict[str, Request] = {
    "client credentials": lambda server: services(server, App("acme", Secret(AWKWARD), "body")),
    "client credentials, signed": lambda server: services(server, App("acme", None, "private_key_jwt", SIGNER)),
    "JWT bearer": lambda server: JwtBearer(endpoint(server, App("", None)), SIGNER, [], {}),
    "login call": logins,
}
TOKEN = json.dumps({"token": API_KEY}).encode()
_REJECTED, _UNAVAILABLE = "client_credentials_rejected", "token_endpoint_unavailable"
FAILURES: dict[str, tuple[Behaviour, str, str]] = {
    "a wrong app": (error("invalid_client", 401), _REJECTED, _REJECTED),
    "a refused grant": (error("invalid_grant"), _REJECTED, _REJECTED),
    "a scope that it may not have": (error("invalid_scope"), _REJECTED, _REJECTED),
    "an app that may not use an API": (error("access_denied", 403), _REJECTED, _REJECTED),
    "a rejection without a word": (answer(b"", status=401), _REJECTED, _REJECTED),
    "an error with a success": (error("invalid_grant", 200), _REJECTED, _UNAVAILABLE),
    "a page of a firewall": (answer(b"<html>", status=403), _UNAVAILABLE, _REJECTED),
    "a redirect": (redirect("https://sink.example.test/"), _UNAVAILABLE, _UNAVAILABLE),
    "404": (answer(TOKEN, status=404), _UNAVAILABLE, _UNAVAILABLE),
    "429": (answer(TOKEN, "Retry-After: 7", status=429), _UNAVAILABLE, _UNAVAILABLE),
    "500": (answer(TOKEN, status=500), _UNAVAILABLE, _UNAVAILABLE),
    "a page": (answer(b"<html>" + TOKEN), _UNAVAILABLE, _UNAVAILABLE),
    "nothing": (answer(b"", status=204), _UNAVAILABLE, _UNAVAILABLE),
    "another JSON": (answer(json.dumps([API_KEY]).encode()), _UNAVAILABLE, _UNAVAILABLE),
    "a token that no header can carry": (answer(body(access_token="a b", token="a b")), _UNAVAILABLE, _UNAVAILABLE),
    "an answer that is cut": (raw(servers.head(200, ["Content-Length: 99"]), TOKEN), _UNAVAILABLE, _UNAVAILABLE),
    "a reset": (raw(then=servers.reset), _UNAVAILABLE, _UNAVAILABLE),
}


@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("request_name", REQUESTS)
def test_every_failure_has_its_fault_is_not_repeated_and_shows_nothing(
    server: Server, request_name: str, case: str
) -> None:
    server.behaviour, of_oauth, of_login = FAILURES[case]
    with pytest.raises(ConnectionFailed) as raised:
        REQUESTS[request_name](server).obtain(soon())
    failure = raised.value
    assert failure.fault.name == (of_login if request_name == "login call" else of_oauth), failure.message
    assert "grant" not in failure.hint, "there is none"
    assert isinstance(failure, EndpointFailed)
    assert failure.retry_after_s == (7 if case == "429" else None)
    assert len(server.requests) == 1
    assert_no_canary(failure.message, failure.hint)
    assert_hidden(failure, case)
    for where, data in shown(failure):
        assert_no_key(KEY, data, where=where)
        assert b"eyJ" not in data, f"{where} holds a JWT"


@pytest.mark.parametrize("request_name", REQUESTS)
def test_nothing_is_sent_after_the_end_of_a_call(server: Server, request_name: str) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        REQUESTS[request_name](server).obtain(monotonic() - 1)
    assert server.requests == []
    assert_hidden(raised.value, request_name)


def test_a_login_sends_its_body_and_headers(server: Server) -> None:
    server.behaviour = answer(json.dumps({"data": {"a/b": ["x", "issued"]}}).encode(), status=201)
    basic = HeaderCredential("Authorization", Secret("QQ=="), key="password", scheme="Basic")
    content = {"credentials": {"user": "acme", "keys": [Secret(AWKWARD), 1, True]}}
    made = logins(server, content=content, token_at="/data/a~1b/1", credential=lambda: basic)
    tokens = made.obtain(soon())
    assert (tokens.access_token.reveal(), tokens.lifetime_s, tokens.refresh_token) == ("issued", None, None)
    target, headers, said = sent(server)
    assert (target, headers["authorization"]) == ("/login", "Basic QQ==")
    assert said == {"credentials": {"user": "acme", "keys": [AWKWARD, 1, True]}}
    assert_no_canary(json.dumps(made.binding))
    assert made.binding["content"] == {"credentials": {"user": "acme", "keys": [None, 1, True]}}


def test_a_login_may_be_a_form_and_answer_with_a_bare_text(server: Server) -> None:
    server.behaviour = answer(b'"issued"')
    assert logins(server, body="form", token_at="").obtain(soon()).access_token.reveal() == "issued"
    assert sent(server)[2] == {"user": "acme", "password": AWKWARD}


LIFETIMES: dict[str, tuple[TokenLifetime, Any, float | None]] = {
    "none": (TokenLifetime(), 60, None),
    "as documented": (TokenLifetime(seconds=900), 60, 900),
    "seconds": (TokenLifetime(seconds_at="/life"), 60, 60),
    "seconds as text": (TokenLifetime(seconds_at="/life"), "60", 60),
    "no seconds": (TokenLifetime(seconds_at="/life"), "soon", None),
    "seconds that are not there": (TokenLifetime(seconds_at="/other"), 60, None),
    "a time": (TokenLifetime(time_at="/life"), "2099-07-11T22:14:10Z", 10 * 365 * 86_400.0),
    "a time with a fraction and an offset": (
        TokenLifetime(time_at="/life"),
        "2099-07-11t22:14:10.123456789+02:00",
        3.1536e8,
    ),
    "a time of the past": (TokenLifetime(time_at="/life"), "2016-07-11T22:14:10Z", None),
    "a time of nowhere": (TokenLifetime(time_at="/life"), "2099-07-11T22:14:10", None),
    "no time": (TokenLifetime(time_at="/life"), "2099-13-11T22:14:10Z", None),
    "no text": (TokenLifetime(time_at="/life"), 2099, None),
}


@pytest.mark.parametrize("case", LIFETIMES)
def test_a_login_says_how_long_its_token_lives(server: Server, case: str) -> None:
    lifetime, value, seconds = LIFETIMES[case]
    server.behaviour = answer(json.dumps({"token": "issued", "life": value}).encode())
    assert logins(server, lifetime=lifetime).obtain(soon()).lifetime_s == seconds


@pytest.mark.parametrize(("size", "fits"), [(8 * 1024, True), (8 * 1024 + 1, False)])
def test_a_token_of_a_login_has_8_kib_at_most(server: Server, size: int, fits: bool) -> None:
    server.behaviour = answer(json.dumps({"token": "x" * size}).encode())
    if fits:
        assert len(logins(server).obtain(soon()).access_token.reveal()) == size
    else:
        with pytest.raises(ConnectionFailed, match="with more than 8 KiB at /token"):
            logins(server).obtain(soon())


def test_a_signed_jwt_is_sent_as_it_is_and_renewed_before_its_end(server: Server) -> None:
    now = 0.0
    holder = SignedJwtCredential(
        SIGNER, lambda token: HeaderLines(("Authorization", Secret(f"Bearer {token.reveal()}"))), clock=lambda: now
    )
    with sync_client(settings_for(server, credential=holder)) as client:
        client.get("/x")
        client.get("/x")
        now = 151
        client.get("/x")
    server.behaviour = answer(b"", status=401)
    with sync_client(settings_for(server, credential=holder)) as client:
        assert client.get("/x").status_code == 401
    lines = [request.split(b"Authorization: Bearer ")[1].split(b"\r\n")[0] for request in server.requests]
    assert [line.count(b".") for line in lines] == [2, 2, 2, 2], "a refused JWT is not signed again"
    assert [line == lines[0] for line in lines] == [True, True, False, False]
    assert lines[2] == lines[3]
