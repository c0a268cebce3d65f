"""Who granted access, and for how long it can be renewed, as token answers say it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from connform.auth.oauth.id_token import account_in
from connform.auth.oauth.token_answer import TokenAnswer, read_tokens


def id_token(claims: Any) -> str:
    payload = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


ACCOUNTS: dict[str, tuple[Any, str]] = {
    "an e-mail address first": (id_token({"sub": "1", "name": "Jane", "email": "jane@acme.example"}), "jane@acme.example"),
    "a name": (id_token({"sub": "1", "name": "Jane Dœ"}), "Jane Dœ"),
    "the identifier": (id_token({"sub": "248289761001"}), "248289761001"),
    "no claim": (id_token({}), ""),
    "claims of other types": (id_token({"email": ["x"], "sub": 7}), ""),
    "a list": (id_token([1]), ""),
    "what could control a terminal": (id_token({"sub": "\x1b[2J"}), ""),
    "what is too long": (id_token({"sub": "x" * 201}), ""),
    "no base64": ("a.*.b", ""),
    "no JSON": ("a.YQ.b", ""),
    "a word": ("word", ""),
    "no text": (7, ""),
    "nothing": (None, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCOUNTS)
def test_a_person_is_named_by_an_id_token_or_not_at_all(case: str) -> None:
    token, account = ACCOUNTS[case]
    assert account_in(token) == account


@pytest.mark.parametrize(
    ("more", "lifetime_s"),
    [
        ({"refresh_token_expires_in": 15897600}, 15897600),  # GitHub, Microsoft
        ({"refresh_expires_in": 1800}, 1800),  # Keycloak
        ({"refresh_expires_in": 0}, None),  # Keycloak, of an offline token: it doesn't end
        ({"x_refresh_token_expires_in": "8726400"}, 8726400),  # Intuit
        ({"refresh_token_expires_in": "soon"}, None),
        ({}, None),
    ],
)
def test_the_end_of_a_refresh_token_is_read_where_a_server_says_it(more: dict[str, Any], lifetime_s: Any) -> None:
    answer = {"access_token": "a", "refresh_token": "r", "id_token": id_token({"email": "jane@acme.example"})} | more
    tokens = read_tokens(TokenAnswer(200, "", json.dumps(answer).encode()))
    assert (tokens.refresh_lifetime_s, tokens.account) == (lifetime_s, "jane@acme.example")
