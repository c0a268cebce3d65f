"""Which scopes a login requests, of whom, and which of them were not granted."""

from __future__ import annotations

from typing import Any

import pytest

from connform.engine.load import catalog
from connform.engine.load.scopes import missing_scopes, requested_scopes
from connform.engine.load.vocabulary import vocabulary
from connform.providers import PROVIDERS
from connform.providers.http import Http
from tests.database.conftest import grant


class Acme(Http):
    default_scopes = ("read",)
    refresh_scope = "offline"


OAUTH = {"method": "oauth2", "client_id": "acme", "client_secret": "env://A", "redirect_uri": "https://localhost/"}


def connection(provider: str, **auth: Any) -> dict[str, Any]:
    settings = {"base_url": "https://api.acme.example", "check": {"path": "/me"}}
    return {"provider": provider, **settings, "auth": OAUTH | auth}


@pytest.fixture(autouse=True)
def _acme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "PROVIDERS", {**PROVIDERS, "acme": Acme()})


@pytest.mark.parametrize(
    ("declared", "requested", "is_found"),
    [
        (connection("http"), (), False),
        (connection("http", scopes=["repo"]), ("repo",), False),
        (connection("iinked-sign"), ("profile", "offline_access", "organization"), False),
        ({"auth": OAUTH}, ("profile", "offline_access", "organization"), False),
        (connection("iinked-sign", scopes=["profile"]), ("profile",), True),
        (connection("iinked-sign", scopes=[]), (), True),
        (connection("acme"), ("read",), True),
        (connection("acme", scopes=["offline", "write"]), ("offline", "write"), False),
        ({"auth": {"method": "api_key"}}, (), False),
    ],
    ids=str,
)
def test_scopes_are_those_of_the_manifest_or_the_provider(
    declared: dict[str, Any], requested: tuple[str, ...], *, is_found: bool
) -> None:
    assert requested_scopes(declared) == requested
    found = [(one.code, one.path) for one in vocabulary().rules(declared) if one.code == "no-refresh-token"]
    assert found == [("no-refresh-token", ("auth", "scopes"))] * is_found


@pytest.mark.parametrize(
    ("granted", "is_renewable", "missing"),
    [
        (("mail", "offline_access"), True, ()),
        (("mail",), True, ()),  # as Microsoft's server answers
        (("mail",), False, ("offline_access",)),
        (("offline_access",), True, ("mail",)),
    ],
)
def test_a_refresh_token_shows_that_offline_access_is_granted(
    granted: tuple[str, ...], missing: tuple[str, ...], *, is_renewable: bool
) -> None:
    facts = grant(scopes=granted, is_renewable=is_renewable).facts
    assert missing_scopes(("mail", "offline_access"), facts) == missing
