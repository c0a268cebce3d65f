"""Where the secrets of methods go that obtain their token: recorded, planned, and elsewhere with `--force` alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.canary import API_KEY
from tests.http.servers import Connection, Server, head
from tests.private_keys import pem_of
from tests.state.test_origins import KEY, Shop

BODY = json.dumps({"access_token": "an-access-token", "token_type": "bearer", "expires_in": 3600}).encode()
HEAD = head(200, [f"Content-Length: {len(BODY)}", "Content-Type: application/json"])


def answer(connection: Connection) -> None:
    """Give a token to whoever asks, and accept whatever comes."""
    while connection.read_request():
        connection.send(HEAD + BODY)


@pytest.fixture
def here() -> Iterator[Server]:
    with Server(answer) as server:
        yield server


@pytest.fixture
def there() -> Iterator[Server]:
    with Server(answer) as server:
        yield server


@pytest.fixture
def shop(
    tmp_path: Path, here: Server, there: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """A shop in production, not yet applied."""
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SHOP_KEY", API_KEY)
    monkeypatch.setenv("SHOP_PEM", pem_of(ec.generate_private_key(ec.SECP256R1())))
    shop = Shop(folder, here, there, capsys)
    shop.manifest = {"version": 1, "connections": {"shop": shop.connection(KEY)}}
    shop.connections["shop"]["check"] = {"path": "/me", "expect": {"body": {"required": ["access_token"]}}}
    return shop


def _credentials(url: str) -> dict[str, Any]:
    return {"method": "client_credentials", "client_id": "job", "client_secret": KEY, "token_url": f"{url}/token"}


def _bearer(url: str) -> dict[str, Any]:
    jwt = {"alg": "ES256", "issuer": "job"}
    return {"method": "jwt_bearer", "private_key": "env://SHOP_PEM", "jwt": jwt, "token_url": f"{url}/token"}


def _login(url: str) -> dict[str, Any]:
    login = {"url": f"{url}/login", "json": {"key": "{api_key}"}, "token_at": "/access_token"}
    return {"method": "login", "login": login, "api_key": KEY}


METHODS: dict[str, tuple[Callable[[str], dict[str, Any]], str, str]] = {
    "client-credentials": (_credentials, KEY, "token_url"),
    "jwt-bearer": (_bearer, "env://SHOP_PEM", "token_url"),
    "login-call": (_login, KEY, "login_url"),
}


@pytest.mark.parametrize(("auth", "secret", "use"), METHODS.values(), ids=METHODS)
def test_what_obtains_a_token_goes_elsewhere_with_force_alone(
    auth: Callable[[str], dict[str, Any]], secret: str, use: str, shop: Shop
) -> None:
    shop.connections["shop"]["auth"] = auth(shop.url)
    shop.write()
    text = shop.run("plan")[1]
    assert f"{secret} → {shop.url} ({use})" in " ".join(text.split()), text
    assert shop.run("apply", "--yes")[0] == 0
    assert shop.received() == 2, "the token, and the check"

    shop.connections["shop"]["auth"] = auth(shop.elsewhere)
    shop.write()
    shop.demand_refusal(f"{secret}", f"to {shop.elsewhere} ({use})", shop.url)
    assert shop.run("apply", "--yes", "--force")[0] == 0
    assert shop.there.requests
    assert shop.run("plan", "--detailed-exitcode")[0] == 0, "what was forced is recorded"


@pytest.mark.parametrize(("auth", "secret", "use"), METHODS.values(), ids=METHODS)
def test_an_obtained_token_goes_to_another_api_with_force_alone(
    auth: Callable[[str], dict[str, Any]], secret: str, use: str, shop: Shop
) -> None:
    shop.connections["shop"]["auth"] = auth(shop.url)
    shop.write()
    assert shop.run("apply", "--yes")[0] == 0
    shop.connections["shop"]["base_url"] = shop.elsewhere
    shop.write()
    shop.demand_refusal("the token that it obtains", f"to {shop.elsewhere}")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"method": "query", "parameter": "key", "api_key": KEY}, {"parameter": "trace"}, "parameter trace"),
        (
            {"method": "headers", "headers": {"X-Key": "{api_key}"}, "api_key": KEY},
            {"headers": {"X-Trace": "{api_key}"}},
            "header X-Trace",
        ),
    ],
    ids=["another-parameter", "another-header"],
)
def test_another_place_in_the_request_is_another_destination(
    before: dict[str, Any], after: dict[str, Any], said: str, shop: Shop
) -> None:
    shop.connections["shop"]["auth"] = before
    shop.write()
    assert shop.run("apply", "--yes")[0] == 0
    shop.connections["shop"]["auth"] = {**before, **after}
    shop.write()
    shop.demand_refusal(said)


def test_a_token_of_another_secret_proves_nothing_of_this_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.connections["shop"]["auth"] = _credentials(shop.url)
    shop.write()
    assert shop.run("apply", "--yes")[0] == 0
    shop.received()
    assert shop.run("check")[0] == 0
    assert shop.received() == 1, "the token that is stored is used"
    monkeypatch.setenv("SHOP_KEY", f"{API_KEY}2")
    assert shop.run("check")[0] == 0
    assert shop.received() == 2, "another secret obtains another token"
