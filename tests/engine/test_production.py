"""The secrets of production: which are known as such, and which former specifications are kept because of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from connform.engine.changes.production import ProductionSecrets, is_production, production_secrets, records_to_keep
from connform.engine.changes.sends import sends
from connform.engine.load import catalog
from connform.errors import ConnectionFailed
from connform.providers import PROVIDERS
from connform.providers.http import Http
from connform.recorded import Applied, EarlierSpec, RecordSummary
from tests.engine.test_sends import VAULT, spec

MINE = "mine://secret/a#k"
STORE = VAULT | {"auth": {"method": "token", "token": "env://LOGIN"}}
SHOP = spec(MINE, STORE | {"namespace": "x/y"}, environment="production")


def secret(**store: Any) -> dict[str, Any]:
    """Return the specification of another connection, whose secret has the same path."""
    return spec(MINE, STORE | store)


@pytest.mark.parametrize(
    ("other", "user"),
    [
        (secret(namespace="x/y"), "shop"),
        (spec("vault://secret/a#k"), "shop"),
        (secret(namespace="x"), ""),
        (secret(namespace="x/y", address="https://other.acme.example"), ""),
    ],
    ids=["itself", "of whatever store the machine opens", "of another namespace", "of another server"],
)
def test_a_secret_of_production_is_that_of_its_store(other: dict[str, Any], user: str) -> None:
    known = ProductionSecrets([("shop", SHOP)], lambda path: f"/checkout/{path}")
    assert known.user(sends(other)[0].identity) == user


def test_destinations_are_looked_for_once_however_many_connections_share_a_secret() -> None:
    known = ProductionSecrets([(name, SHOP | {"base_url": f"https://{name}.example"}) for name in ("a", "b")])
    identity = sends(SHOP)[0].identity
    found = known.destinations(identity)
    assert {to.url: classes for to, classes in found.items()} == {
        "https://a.example": {"production"},
        "https://b.example": {"production"},
    }
    assert known.destinations(identity) is found


CLASSES: dict[str, tuple[dict[str, Any], bool]] = {
    "a sandbox": ({"environment": "sandbox", "region": "us"}, False),
    "production": ({"environment": "production", "region": "us"}, True),
    "a private instance": ({"environment": "private", "instance": "acme"}, True),
    **{label: ({"provider": "http", "environment": label}, False) for label in ("test", "dev", "staging", "demo")},
    "another label": ({"provider": "http", "environment": "eu-1"}, True),
    "no label": ({"provider": "http"}, True),
    "declared production": ({"provider": "http", "environment": "staging", "class": "production"}, True),
    "declared test": ({"provider": "http", "environment": "eu-1", "class": "test"}, False),
    "a sandbox of a provider that is not installed": ({"provider": "gone", "environment": "sandbox"}, False),
    "a label of a provider that is not installed": ({"provider": "gone", "environment": "eu-1"}, True),
    "no word of a provider that is not installed": ({"provider": "gone", "environment": ["test"]}, True),
    "a key of a provider that is not installed": ({"provider": "gone", "class": "test"}, True),
}


@pytest.mark.parametrize("case", CLASSES)
def test_production_is_all_that_no_provider_and_no_label_calls_a_test(case: str) -> None:
    settings, expected = CLASSES[case]
    assert is_production({"settings": settings}) is expected


def test_a_provider_says_which_of_its_environments_are_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    class Acme(Http):
        def environment_class(self, settings: Mapping[str, Any]) -> str:
            return "test" if settings["tenant"].startswith("trial-") else "production"

    monkeypatch.setattr(catalog, "PROVIDERS", {**PROVIDERS, "acme": Acme()})
    tenants = {tenant: {"provider": "acme", "tenant": tenant, "environment": "dev"} for tenant in ("trial-1", "globex")}
    found = {tenant: is_production({"settings": settings}) for tenant, settings in tenants.items()}
    assert found == {"trial-1": False, "globex": True}


@pytest.mark.parametrize(
    ("settings", "expected"), [({"environment": "live"}, True), ({"environment": "trial"}, False), ({}, True)]
)
def test_a_declared_provider_says_which_of_its_environments_are_tests(
    settings: dict[str, Any], *, expected: bool
) -> None:
    definition = {
        "title": "Acme",
        "environments": {"trial": {"class": "test"}, "live": {}},
        "auth": {"key": {"secrets": {"key": {}}, "headers": {"X-Key": "{key}"}}},
        "check": {"method": "GET", "path": "/me"},
    }
    spec = {
        "settings": {"provider": "acme/crm", **settings},
        "base_url": "https://acme.example",
        "definition": definition,
    }
    assert is_production(spec) is expected


PAY = spec("env://PAY", environment="production")


class Table:
    """A state table; one without specifications can't be read."""

    def __init__(self, specs: list[EarlierSpec] | None) -> None:
        self._specs = specs
        self.is_closed = False

    def specifications(self) -> list[EarlierSpec]:
        if self._specs is None:
            raise ConnectionFailed("store_unavailable", "it is on another machine")
        return self._specs

    def close(self) -> None:
        self.is_closed = True


def test_the_secrets_of_all_states_of_a_repository_are_known_as_far_as_they_can_be_read() -> None:
    own, others = Table([("shop", SHOP)]), [Table(None), Table([("pay", PAY)])]
    paths = SimpleNamespace(real_path=str)
    states: Any = SimpleNamespace(tables=[own], other_tables=lambda: others, paths=paths)
    known = production_secrets(states)
    assert [known.user(sends(one)[0].identity) for one in (SHOP, PAY)] == ["shop", "pay"]
    assert [one.is_closed for one in (own, *others)] == [False, True, True]


LINKS = {"team/link": "/srv/key"}
FILES = {
    "file:///srv/key": "shop",
    "file://key": "shop",
    "file:///elsewhere/srv/key": "",
    "file:///checkout/team/link": "",
}


@pytest.mark.parametrize("reference", FILES)
def test_a_secret_file_of_production_is_that_to_which_its_links_lead(reference: str) -> None:
    shop = spec("file://team/link", environment="production")
    known = ProductionSecrets([("shop", shop)], lambda path: LINKS.get(path, path))
    assert known.user(sends(spec(reference))[0].identity) == FILES[reference]


ELSEWHERE = SHOP | {"base_url": "https://other.acme.example"}
PRIVATE = SHOP | {"settings": SHOP["settings"] | {"environment": "private"}}
SANDBOX = SHOP | {"settings": SHOP["settings"] | {"environment": "sandbox"}}
KEPT: dict[str, tuple[dict[str, Any] | None, dict[str, Any], bool]] = {
    "a creation": (None, SHOP, False),
    "another sentence": (SHOP, SHOP | {"settings": SHOP["settings"] | {"owner": "payments"}}, False),
    "another server": (SHOP, ELSEWHERE, True),
    "a removal": (SHOP, {}, True),
    "another server, of a sandbox": (SANDBOX, ELSEWHERE, False),
    "a private instance at the same server": (SHOP, PRIVATE, False),
    "a sandbox at the same server": (SHOP, SANDBOX, True),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_production_sent_where_stays_recorded_and_nothing_else(case: str) -> None:
    before, after, is_kept = KEPT[case]
    applied = (
        Applied("shop", RecordSummary("connections.yaml", "", is_applied=True, fault=""), before) if before else None
    )
    expected: tuple[EarlierSpec, ...] = (("shop", SHOP),) if is_kept else ()
    assert records_to_keep(applied, after) == expected
