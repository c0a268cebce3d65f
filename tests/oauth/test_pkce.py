"""PKCE is left out only where the manifest says so, and never for a public client (RFC 7636, RFC 9700 §2.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connform.auth import METHODS
from connform.auth.interface import AuthInputs
from connform.auth.oauth.server import AuthorizationServer
from connform.database.memory import MemoryStore, MemoryTokens
from connform.engine.login import Login
from connform.secret import Secret
from tests.canary import AWKWARD
from tests.http.exchanging import settings_for
from tests.http.servers import Authority, Server, answer
from tests.oauth.setting import TOKEN_URL, body
from tests.oauth.test_token_requests import sent

REDIRECT = "https://localhost/auth"
AUTH = {"client_id": "acme", "redirect_uri": REDIRECT, "authorize_url": "https://a.example/", "token_url": TOKEN_URL}


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(body()), tls=authority.server(), ca_pem=authority.pem) as running:
        yield running


@pytest.mark.parametrize(
    ("auth", "is_public", "has_pkce"),
    [({}, False, True), ({"pkce": True}, False, True), ({"pkce": False}, False, False), ({"pkce": False}, True, True)],
)
def test_challenge_and_verifier_are_sent_together_or_not_at_all(
    server: Server, auth: dict[str, Any], is_public: bool, has_pkce: bool
) -> None:
    secrets = {} if is_public else {"client_secret": Secret(AWKWARD)}
    settings, store = settings_for(server, credential=None), MemoryStore()
    login = Login(
        AuthInputs(
            "customer", {**AUTH, **auth}, secrets, "", AuthorizationServer(), lambda: store, MemoryTokens, settings
        ),
        ("profile",),
    )
    asked = parse_qs(urlsplit(login.url).query)
    login.finish(Secret(f"{REDIRECT}?code=c&state={asked['state'][0]}"))
    form = sent(server)[2]
    assert {"code_challenge" in asked, "code_challenge_method" in asked, "code_verifier" in form} == {has_pkce}


@pytest.mark.parametrize(
    ("auth", "codes"),
    [
        ({"client_secret": "env://S"}, []),
        ({"client_secret": "env://S", "pkce": True}, []),
        ({"client_secret": "env://S", "pkce": False}, ["no-pkce"]),
        ({"pkce": False}, ["missing-key"]),
        ({"client_secret": "env://S", "token_url": f"{TOKEN_URL}?tenant=acme"}, []),
        ({"client_secret": "env://S", "revoke_url": f"{TOKEN_URL}?tenant=acme"}, ["malformed-url"]),
    ],
)
def test_what_validate_says_of_it(auth: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in METHODS["oauth2"].rules({**AUTH, **auth})] == codes
