"""The backend `op` at a Connect server that imitates the documented one, and its references."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connform.secret import Secret
from connform.secrets.kit.interface import Fetched, StoreConfig
from connform.secrets.onepassword.backend import OP
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.secrets.api_server import ServedBench
from tests.secrets.fetching import lint
from tests.secrets.onepassword.stand_ins import Connect


class ConnectBench(ServedBench):
    backend = OP
    lacks = {
        "binary": "a field is text",
        "fields": "a field is part of the path: the tests below show that a pair comes from one look",
        "documents": "the same",
        "versions": "Connect gives no earlier versions",
        "sealed": "a Connect server is never sealed",
    }

    def __init__(self, connect: Connect) -> None:
        super().__init__(connect.store, connect.server)
        self._connect = connect

    def put(self, name: str, value: bytes) -> str:
        self._connect.put(name, {"password": value.decode()})
        return f"mine://acme/{name}/password"

    def twins(self, name: str) -> tuple[str, Sequence[str]]:
        text = self.put(name, b"one")
        item = self._connect.items[-1]
        item["sections"].append({"id": "s2", "label": "production"})
        item["fields"].append({"id": "f9", "label": "password", "value": "two", "section": {"id": "s2"}})
        return text, ("2 fields password", "login", "production")

    def missing(self) -> str:
        return "mine://acme/missing/password"

    def denied(self) -> str:
        return "mine://closed/any/password"

    def expired(self) -> StoreConfig:
        return self.place._replace(secrets={"token": Secret("revoked")})


class TestConnect(SecretBackendSuite):
    @pytest.fixture
    def bench(self, connect: Connect) -> Bench:
        return ConnectBench(connect)


def test_two_fields_of_an_item_come_from_one_look(connect: Connect) -> None:
    connect.put("portal", {"client_id": "0012", "client_secret": "s3cret"})
    texts = ("mine://acme/portal/client_id", "mine://acme/portal/login/client_secret", "mine://acme/portal/f1")
    outcomes = TestConnect().read(ConnectBench(connect), *texts)
    assert [one.secret.reveal() for one in outcomes if isinstance(one, Fetched)] == ["0012", "s3cret", "s3cret"]
    assert len(connect.server.requests) == 3  # the vault's id, the item's, the item
    assert isinstance(outcomes[0], Fetched)
    assert (outcomes[0].version, str(outcomes[0].since)) == ("1", "2026-03-01 12:00:00+00:00")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mine://nowhere/portal/client_id", "no vault nowhere"),
        ("mine://acme/nothing/client_id", "no item nothing"),
        ("mine://acme/portal/client_di", "no field client_di"),
        ("mine://acme/portal/other/client_id", "no field client_id"),
    ],
)
def test_what_is_missing_is_named(connect: Connect, text: str, words: str) -> None:
    connect.put("portal", {"client_id": "0012"})
    error = TestConnect().fault(ConnectBench(connect), text)
    assert (error.fault.name, words in error.message) == ("secret_not_found", True)


@pytest.mark.parametrize("text", ["op://Private/portal/password", "op://a/b/c/d", f"op://a/{'x' * 26}/f"])
def test_a_good_reference(text: str) -> None:
    assert lint("op", text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "op://a/b",
        "op://a/b/c/d/e",
        "op://a//c",
        "op://a/b/c#d",
        "op://a/b/c?version=1",
        "op://a/--account=x/c",
        "op://-a/b/c",
    ],
)
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("op", text)
