"""How stores are reached: one declaration for all that are asked over HTTP, and what programs get of the environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from connform.engine.load.manifest import load_manifest
from connform.engine.load.relative_paths import is_relative_store
from connform.engine.validate import validate
from connform.errors import SecretUnresolved
from connform.secret import Secret
from connform.secrets import BACKENDS
from connform.secrets.kit.command import NETWORK_VARIABLES
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.kit.network import network_settings, proxy_with_password
from connform.testing.logging_proxy import logging_proxy
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_library
from tests.secrets.fetching import failure, outcomes

STORES: dict[str, dict[str, Any]] = {
    "vault": {"address": "https://s.example", "auth": {"method": "token", "token": "env://T"}},
    "azurekv": {
        "address": "https://s.example",
        "tenant_id": "t",
        "client_id": "c",
        "client_secret": "env://T",
    },
    "gcpsecrets": {"project": "acme", "credentials": "env://T"},
    "op": {"address": "https://s.example", "token": "env://T"},
    "k8s": {"address": "https://s.example", "token": "env://T"},
    "awssecrets": {"region": "eu-central-1"},
    "awsssm": {"region": "eu-central-1"},
}
"""The backends that are asked over HTTP, each with a store."""
REFERENCES = {"vault": "s://a/b#c", "op": "s://a/b/c", "k8s": "s://a/b#c"}
PROXY = {"url": "http://proxy.acme.example", "username": "ci", "password": "env://PROXY"}
TLS = {"client_cert": "a.pem", "client_key": "a.key"}


def codes(tmp_path: Path, backend: str, **network: Any) -> list[str]:
    """Return the codes of what `validate` finds in a manifest with such a store, and the pointers to it."""
    import json

    store = {"type": backend, **STORES[backend], **network}
    auth = {"method": "api_key", "api_key": REFERENCES.get(backend, "s://a")}
    connection = {"environment": "sandbox", "region": "us", "auth": auth}
    file = tmp_path / "connections.yaml"
    file.write_text(json.dumps({"version": 1, "stores": {"s": store}, "connections": {"c": connection}}))
    return [f"{one.code} {one.pointer}" for one in validate([str(file)]).diagnostics]


@pytest.mark.parametrize("backend", STORES)
def test_a_store_may_say_how_it_is_reached(tmp_path: Path, backend: str) -> None:
    assert codes(tmp_path, backend, ca_file="ca.pem", tls=TLS, proxy="environment") == []
    assert codes(tmp_path, backend, tls=TLS, proxy="http://proxy.acme.example:3128") == []
    assert codes(tmp_path, backend, proxy=PROXY) == []


@pytest.mark.parametrize("backend", STORES)
@pytest.mark.parametrize(
    ("network", "found"),
    [
        ({"tls": {"client_cert": "a.pem"}}, "incomplete-client-certificate /stores/s/tls/client_cert"),
        ({"tls": {**TLS, "ca_file": "ca.pem"}}, "unknown-key /stores/s/tls/ca_file"),
        ({"proxy": "socks5://proxy.acme.example"}, "malformed-url /stores/s/proxy"),
        ({"proxy": "http://me:word@proxy.acme.example"}, "malformed-url /stores/s/proxy"),
        ({"proxy": {**PROXY, "password": "word"}}, "plaintext-secret /stores/s/proxy/password"),
        ({"proxy": {**PROXY, "password": "s://a"}}, "unknown-scheme /stores/s/proxy/password"),
    ],
)
def test_what_is_wrong_with_it_is_found_offline(
    tmp_path: Path, backend: str, network: dict[str, Any], found: str
) -> None:
    assert codes(tmp_path, backend, **network) == [found]


def test_a_file_of_issuers_below_tls_is_told_its_place(tmp_path: Path) -> None:
    codes(tmp_path, "vault", tls={**TLS, "ca_file": "ca.pem"})
    (found,) = validate([str(tmp_path / "connections.yaml")]).diagnostics
    assert found.detail == "`ca_file` belongs to the level above: not allowed here"


@pytest.mark.parametrize("backend", ["awssecrets", "awsssm", "azurekv", "gcpsecrets"])
def test_a_manifest_can_not_make_its_proxy_read_the_login_of_the_machine(tmp_path: Path, backend: str) -> None:
    by_machine = {key: value for key, value in STORES[backend].items() if key not in {"client_secret", "credentials"}}
    store = {"type": backend, **by_machine, "ca_file": "ca.pem"}
    for proxy, expected in (("environment", []), ("http://proxy.acme.example", ["malformed-value"])):
        assert [finding.code for finding in BACKENDS[backend].rules({**store, "proxy": proxy})] == expected  # type: ignore[attr-defined]
    if by_machine != STORES[backend]:
        assert codes(tmp_path, backend, ca_file="ca.pem", proxy="http://proxy.acme.example") == []


@pytest.mark.parametrize(("cert", "is_relative"), [("/etc/a.pem", False), ("a.pem", True)])
def test_a_store_with_a_relative_certificate_depends_on_its_folder(cert: str, is_relative: bool) -> None:
    tls = {"client_cert": cert, "client_key": "/etc/a.key"}
    assert is_relative_store({"type": "vault", **STORES["vault"], "tls": tls}) is is_relative


def test_the_password_of_a_proxy_is_a_secret_that_opens_the_store(tmp_path: Path) -> None:
    assert codes(tmp_path, "op", proxy=PROXY) == []
    store = load_manifest([str(tmp_path / "connections.yaml")]).stores["s"]
    assert {key: str(reference) for key, reference in store.references.items()} == {
        "token": "env://T",
        "proxy.password": "env://PROXY",
    }


def test_a_password_that_no_header_can_carry_is_refused() -> None:
    secrets = {"proxy.password": Secret(f"{API_KEY}\nx")}
    with pytest.raises(SecretUnresolved, match=r"proxy\.password") as refused:
        network_settings(StoreConfig(Path(), {"address": "https://s.example", "proxy": PROXY}, secrets))
    assert refused.value.fault.name == "secret_malformed"
    assert_no_canary(str(refused.value))


def test_a_password_that_other_libraries_can_not_send_is_refused() -> None:
    secrets = {"proxy.password": Secret(f"{API_KEY}ü")}
    network = network_settings(StoreConfig(Path(), {"address": "https://s.example", "proxy": PROXY}, secrets))
    with pytest.raises(SecretUnresolved, match="not ASCII") as refused:
        proxy_with_password(network)
    assert refused.value.fault.name == "secret_malformed"
    assert_no_canary(str(refused.value), refused.value.hint)


@pytest.mark.parametrize("text", ["azurekv://acme/portal", "gcpsecrets://acme/portal"])
@pytest.mark.parametrize("is_asked_for", [True, False])
def test_the_login_of_this_machine_goes_by_the_same_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, is_asked_for: bool
) -> None:
    """Both libraries of the vendors ask public servers for a token; the proxy can't reach them here."""
    require_library("azure.identity")
    require_library("google.auth")
    backend, login = text.partition("://")[0], tmp_path / "login.json"
    login.write_text('{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(login))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    monkeypatch.setattr(
        "azure.core.pipeline.transport.RequestsTransport.sleep", lambda *_: None
    )  # between its attempts
    for name in ("CLIENT_ID", "TENANT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"AZURE_{name}", "acme")
    by_machine: dict[str, Any] = (
        {"address": "https://acme.vault.azure.net"} if backend == "azurekv" else {"project": "acme"}
    )
    server = "login.microsoftonline.com:443" if backend == "azurekv" else "oauth2.googleapis.com:443"
    with logging_proxy() as proxy:
        if is_asked_for:
            failure(backend, tmp_path, "s://portal", **by_machine, proxy=proxy.url)
            assert set(proxy.targets) == {server}
        else:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            failure(backend, tmp_path, "s://portal", **by_machine)
            assert proxy.targets == []
            failure(backend, tmp_path, text)
            assert set(proxy.targets) == {server}


RECORDS = """#!{python} -I
import os
with open({log!r}, "w") as log:
    log.write("\\n".join(os.environ))
"""


@pytest.mark.parametrize(
    ("text", "gets_them"), [("op://vault/item/field", True), ("sops://a.json#a", True), ("pass://acme", False)]
)
def test_programs_that_use_the_network_get_what_they_need_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, gets_them: bool
) -> None:
    backend, log = text.partition("://")[0], tmp_path / "log"
    for name in ("op", "sops", "pass", "gpg"):
        (tmp_path / name).write_text(RECORDS.format(python=sys.executable, log=str(log)))
        (tmp_path / name).chmod(0o755)
    for file in (tmp_path / "a.json", tmp_path / "acme.gpg"):
        file.write_text("encrypted")
    for name in (*NETWORK_VARIABLES, "ANOTHER_PROXY"):
        monkeypatch.setenv(name, "http://proxy.acme.example")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PASSWORD_STORE_DIR", str(tmp_path))
    outcomes(backend, tmp_path, text)
    got = set(log.read_text().split("\n"))
    assert got & {*NETWORK_VARIABLES, "ANOTHER_PROXY"} == (set(NETWORK_VARIABLES) if gets_them else set())
