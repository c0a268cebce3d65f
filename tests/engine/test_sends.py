"""What is sent where by a specification: the credential, what opens its store, and what an OAuth app is given."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from connform.engine.changes.sends import sends

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
    "vault-cert": (
        VAULT | {"auth": {"method": "cert"}, "tls": {"client_cert": "me.pem", "client_key": "me.key"}},
        [
            (
                "file://team/me.key → https://vault.acme.example "
                "(store vault, CA team/ca.pem, client certificate team/me.pem)"
            )
        ],
    ),
    "vault-approle-without-a-secret-id": (
        {"type": "vault", "address": "https://vault.acme.example", "auth": {"method": "approle", "role_id": "portal"}},
        ["the login of the store vault → https://vault.acme.example (store vault)"],
    ),
    "aws": (
        {"type": "awssecrets", "endpoint_url": "https://vpce.acme.example"},
        ["this machine's login to AWS → https://vpce.acme.example (store awssecrets)"],
    ),
    "google": (
        {"type": "gcpsecrets", "project": "acme"},
        ["this machine's login to Google Cloud → https://secretmanager.googleapis.com (store gcpsecrets)"],
    ),
    "google-regional": (
        {"type": "gcpsecrets", "project": "acme", "location": "europe-west3"},
        [
            "this machine's login to Google Cloud → https://secretmanager.europe-west3.rep.googleapis.com (store gcpsecrets)"
        ],
    ),
    "azure-resource": (
        AZURE | {"client_secret": "env://APP", "resource": "https://vault.azure.net"},
        [
            "env://APP → https://login.microsoftonline.com (store azurekv)",
            "env://APP → https://acme.vault.azure.net (store azurekv)",
        ],
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
    "google-behind-its-own-address": (
        {"type": "gcpsecrets", "project": "acme", "location": "europe-west3", "address": "https://google.acme.example"},
        ["this machine's login to Google Cloud → https://google.acme.example (store gcpsecrets)"],
    ),
    "kubernetes": (
        {"type": "k8s", "address": "https://k8s.acme.example", "token": "env://TOKEN"},
        ["env://TOKEN → https://k8s.acme.example (store k8s)"],
    ),
    "another-package-in-plain-http": (
        {"type": "letterbox", "url": "http://box.acme.example", "location": "here"},
        ["the login of the store letterbox → http://box.acme.example (store letterbox)"],
    ),
    "another-package": (
        {"type": "letterbox", "url": "https://box.acme.example"},
        ["the login of the store letterbox → https://box.acme.example (store letterbox)"],
    ),
    "another-package-with-other-meanings": (
        {
            "type": "letterbox",
            "url": "https://box.acme.example",
            "tls": True,
            "proxy": {"host": "box"},
            "token": "x",
            "password": 1,
        },
        ["the login of the store letterbox → https://box.acme.example (store letterbox)"],
    ),
    "files": ({"type": "file", "path": "/run/secrets"}, []),
    "sops": ({"type": "sops", "path": "a.yaml", "age_key": "env://AGE"}, []),
}
BARE = {
    "env://KEY": [],
    "vault://secret/a#b": ["env://VAULT_TOKEN → VAULT_ADDR (store vault)"],
    "k8s://ns/name#key": [f"{ACCOUNT} → the pod's cluster (store k8s)"],
    "awssecrets:///a": ["this machine's login to AWS → AWS (store awssecrets)"],
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


def test_the_password_of_a_proxy_goes_to_the_proxy_and_opens_its_store() -> None:
    proxy = {"url": "http://proxy.acme.example:3128", "username": "ci", "password": "mine://proxy"}
    tls = {"ca_file": "ca.pem"}
    api = f"env://KEY → {API} (proxy http://proxy.acme.example:3128, CA ca.pem)"
    store = VAULT | {"auth": {"method": "token", "token": "env://LOGIN"}}
    assert told(spec("env://KEY", store, proxy=proxy, tls=tls)) == [
        api,
        "mine://proxy → http://proxy.acme.example:3128 (proxy)",
        "env://LOGIN → https://vault.acme.example (store vault, CA team/ca.pem)",
    ]
    found = told(spec("env://KEY", store, proxy=proxy | {"url": "https://proxy.acme.example"}, tls=tls))
    assert found[1] == "mine://proxy → https://proxy.acme.example (proxy, CA ca.pem)"


def test_the_way_to_a_store_is_told_and_gets_the_password_of_the_proxy_alone() -> None:
    proxy = {"url": "https://proxy.acme.example:3128", "username": "ci", "password": "file://proxy"}
    tls = {"client_cert": "me.pem", "client_key": "me.key"}
    store = VAULT | {"auth": {"method": "token", "token": "env://LOGIN"}, "tls": tls}
    certificates = "CA team/ca.pem, client certificate team/me.pem"
    unchanged = deepcopy(store)
    assert told(spec(MINE, store | {"proxy": "http://proxy.acme.example:3128"}))[1:] == [
        f"env://LOGIN → https://vault.acme.example (store vault, proxy http://proxy.acme.example:3128, {certificates})",
    ]
    assert told(spec(MINE, store | {"proxy": proxy}))[1:] == [
        f"env://LOGIN → https://vault.acme.example (store vault, proxy https://proxy.acme.example:3128, {certificates})",
        "file://proxy → https://proxy.acme.example:3128 (proxy, CA team/ca.pem)",
    ]
    assert store == unchanged


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


@pytest.mark.parametrize("key", ["token_url", "issuer"])
def test_the_grant_of_a_public_client_is_known_by_its_server_and_goes_there(key: str) -> None:
    auth = {name: value for name, value in APP.items() if name != "client_secret"} | {key: "https://id.example/t"}
    proxy = {"url": "http://proxy.acme.example", "username": "ci", "password": "env://PROXY"}
    password, *found = sends(spec("", auth=auth | {"authorize_url": "https://in.example/a"}, proxy=proxy))
    assert password.secret == "env://PROXY"
    assert {one.identity.server for one in found} == {("https://id.example",)}
    assert {f"{one.secret} → {one.to.url} ({one.to.use})" for one in found} == {
        "the consent to portal → https://in.example (authorize_url)",
        f"the grant of portal → https://id.example ({key})",
        f"the grant of portal → {API} ()",
    }


def test_the_servers_of_a_provider_are_told() -> None:
    found = told(spec("", provider="iinked-sign", environment="production", region="eu", auth=APP))
    assert "env://APP → https://sign.syngrafii.eu (token_url, client portal)" in found


def test_every_secret_of_a_method_is_told() -> None:
    assert told(spec("", auth={"method": "another-package", "one": "env://ONE", "two": "env://TWO"})) == [
        f"env://ONE → {API}",
        f"env://TWO → {API}",
    ]
    assert told(spec("", auth={"method": "another-package", "user": "ci"})) == []
