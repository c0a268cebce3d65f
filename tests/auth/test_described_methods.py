"""Auth methods of a provider's entry: what they have of it where a connection says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from connform.auth.described.definition import Method
from connform.auth.described.kinds import KEYS
from connform.auth.described.method import DescribedMethod
from connform.providers.described.definition import decode
from connform.providers.described.provider import DescribedProvider

URLS = {"authorize_url": "https://login.acme.example/a", "token_url": "https://login.acme.example/t"}


@pytest.mark.parametrize(("flow", "scopes"), [("client_credentials", ("orders",)), ("authorization_code", None)])
def test_the_scopes_of_an_entry_are_those_of_token_requests_but_not_of_renewals(
    flow: str, scopes: tuple[str, ...] | None
) -> None:
    method = DescribedMethod(Method(flow=flow, scopes=("orders",)))
    assert method.defaults.get("scopes") == scopes


@pytest.mark.parametrize("kind", KEYS)
def test_what_a_method_says_of_its_kind_before_that_is_imported_is_right(kind: str) -> None:
    keys: dict[str, dict[str, Any]] = {
        "static": {},
        "none": {"none": True},
        "jwt": {"jwt": {"key": "k"}},
        "login": {"login": {"url": "u"}},
    }
    method = DescribedMethod(Method(**keys.get(kind, {"flow": kind})))
    of_kind = method._kind
    assert (method.uses_grant, method.obtains_token) == (of_kind.uses_grant, of_kind.obtains_token)


@pytest.mark.parametrize(
    ("secrets", "needs_it"),
    [({}, False), ({"client_secret": {"optional": True}}, False), ({"client_secret": {}}, True)],
)
def test_an_app_needs_a_secret_only_if_the_entry_has_one(secrets: dict[str, dict[str, bool]], needs_it: bool) -> None:
    entry = {
        "title": "Acme",
        "root": "https://api.acme.example",
        "auth": {"oauth2": {"flow": "authorization_code", **URLS, "secrets": secrets}},
        "check": {"method": "GET", "path": "/me"},
        "answers": [],
    }
    auth = {"method": "oauth2", "client_id": "acme", "redirect_uri": "http://127.0.0.1:8400/"}
    found = [one.code for one in DescribedProvider(decode("acme/api", entry)).rules({"auth": auth})]
    assert ("missing-key" in found) == needs_it
