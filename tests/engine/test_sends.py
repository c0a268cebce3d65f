"""What is sent where by a specification: the credential, what opens its store, and what an OAuth app is given."""

from __future__ import annotations

from typing import Any

import pytest

from connform.engine.changes.origins import sends

API = "https://api.acme.example"
ACCOUNT = "file:///var/run/secrets/kubernetes.io/serviceaccount/token"
MINE = "mine://a/b#c"


def spec(reference: str, store: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    auth = {"method": "api_key", "api_key": reference}
    return {
        "settings": {"provider": "http", "auth": auth, **settings},
        "base_url": f"{API}/v1",
        "stores": {"mine": {"environment": "", **store}} if store else {},
    }


def told(specification: dict[str, Any]) -> list[str]:
    return [f"{send.secret} → {send.to}" for send in sends(specification)]


VAULT = {"type": "vault", "address": "https://vault.acme.example/x", "folder": "team", "ca_file": "ca.pem"}
APPROLE = {"method": "approle", "role_id_from": "env://ROLE", "secret_id": "file://id"}
AZURE = {"type": "azurekv", "address": "https://acme.vault.azure.net"}
LOGINS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "vault-approle": (
        VAULT | {"auth": APPROLE},
        [
            f"{secret} → https://vault.acme.example (store vault, CA team/ca.pem)"
            for secret in ("env://ROLE", "file://id")
        ],
    ),
    "vault-kubernetes": (
        {"type": "vault", "address": "https://vault.acme.example", "auth": {"method": "kubernetes", "role": "https"}},
        [f"{ACCOUNT} → https://vault.acme.example (store vault)"],
    ),
    "aws": (
        {"type": "awssecrets", "endpoint_url": "https://vpce.acme.example"},
        ["this machine's login to AWS → https://vpce.acme.example (store awssecrets)"],
    ),
    "google": (
        {"type": "gcpsecrets", "project": "acme"},
        ["this machine's login to Google Cloud → https://secretmanager.googleapis.com (store gcpsecrets)"],
    ),
    "azure": (
        AZURE | {"client_secret": "env://APP"},
        [
            "env://APP → https://login.microsoftonline.com (store azurekv)",
            "env://APP → https://acme.vault.azure.net (store azurekv)",
        ],
    ),
    "1password": (
        {"type": "op", "address": "https://op.acme.example", "token": "env://OP"},
        ["env://OP → https://op.acme.example (store op)"],
    ),
    "another-package": (
        {"type": "letterbox", "url": "https://box.acme.example"},
        ["the login of the store letterbox → https://box.acme.example (store letterbox)"],
    ),
    "files": ({"type": "file", "path": "/run/secrets"}, []),
    "sops": ({"type": "sops", "path": "a.yaml", "age_key": "env://AGE"}, []),
}
BARE = {
    "env://KEY": [],
    "vault://secret/a#b": ["env://VAULT_TOKEN → VAULT_ADDR (store vault)"],
    "k8s://ns/name#key": [f"{ACCOUNT} → the pod's cluster (store k8s)"],
    "awsssm:///a": ["this machine's login to AWS → AWS (store awsssm)"],
    "azurekv://acme/a": [
        "this machine's login to Azure → https://login.microsoftonline.com (store azurekv)",
        "this machine's login to Azure → https://acme.vault.azure.net (store azurekv)",
    ],
    "op://v/i/f": [],
}


@pytest.mark.parametrize(("store", "expected"), LOGINS.values(), ids=LOGINS)
def test_what_opens_a_store_goes_to_its_servers(store: dict[str, Any], expected: list[str]) -> None:
    assert told(spec(MINE, store)) == [f"{MINE} → {API}", *expected]


@pytest.mark.parametrize(("reference", "expected"), BARE.items())
def test_a_backend_without_a_store_is_opened_by_this_machine(reference: str, expected: list[str]) -> None:
    assert told(spec(reference)) == [f"{reference} → {API}", *expected]


def test_the_way_is_told_without_a_password() -> None:
    way: dict[str, Any] = {
        "proxy": "http://user:word@PROXY.acme.example:80",
        "tls": {"ca_file": "/ca.pem", "client_cert": "../me.pem"},
    }
    said = "proxy http://proxy.acme.example, CA /ca.pem, client certificate me.pem"
    assert told(spec("env://KEY", **way) | {"folder": "team"}) == [f"env://KEY → {API} ({said})"]


APP: dict[str, str] = {
    "method": "oauth2",
    "client_id": "portal",
    "client_secret": "env://APP",
    "redirect_uri": "https://localhost",
}


@pytest.mark.parametrize(
    ("provider", "more", "expected"),
    [
        (
            "http",
            {"token_url": "https://id.example/t", "authorize_url": "https://in.example/a"},
            {"env://APP → https://id.example (token_url, client portal)"},
        ),
        ("http", {"issuer": "https://id.example"}, {"env://APP → https://id.example (issuer, client portal)"}),
        ("nowhere", {}, set()),
    ],
)
def test_an_app_and_its_grant_are_told_apart(provider: str, more: dict[str, str], expected: set[str]) -> None:
    """A provider that is no longer installed says nothing of its servers."""
    found = {one for one in told(spec("", provider=provider, auth=APP | more)) if not one.startswith("the consent")}
    assert found == {f"the grant of portal → {API} (client portal)", *expected}
