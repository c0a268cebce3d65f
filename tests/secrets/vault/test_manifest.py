"""`validate` of Vault stores and references, and the bare backend's variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.engine.load.manifest import load_manifest
from connform.engine.validate import validate
from connform.secrets.kit.interface import StoreConfig
from connform.testing.logging_proxy import logging_proxy
from tests.canary import API_KEY, assert_no_canary
from tests.secrets.fetching import lint
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import failure, value

MANIFEST = """\
version: 1
stores:
  corp-vault:
    type: vault
    {store}
connections:
  acme:
    environment: sandbox
    region: us
    auth: {{method: api_key, api_key: "corp-vault://{path}"}}
"""
ADDRESS = "address: https://vault.acme.example"
TOKEN = 'auth: {method: token, token: "env://VAULT_TOKEN"}'


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ((ADDRESS, TOKEN), "iinked/portal#client_secret"),
        ((ADDRESS, TOKEN), "iinked/portal?version=12#client_secret"),
        ((ADDRESS, TOKEN, "mount: secret", "kv_version: 1", "namespace: a/b", "ca_file: ca.pem"), "portal"),
        (("address: http://127.0.0.1:8200", TOKEN), "secret/portal"),
        (("address: https://gate.acme.example/vault/", TOKEN), "secret/portal"),
        ((ADDRESS, 'auth: {method: approle, role_id: r, secret_id: "env://S"}'), "secret/portal"),
        (
            (ADDRESS, 'auth: {method: approle, role_id: 59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8, secret_id: "env://S"}'),
            "a/b",
        ),
        (
            (ADDRESS, 'auth: {method: approle, role_id_from: "env://R", secret_id: "env://S", mount: a/b}'),
            "secret/portal",
        ),
        ((ADDRESS, "auth: {method: approle, role_id: r}"), "secret/portal"),
        ((ADDRESS, "auth: {method: cert}", "tls: {client_cert: a.pem, client_key: a.key}"), "secret/portal"),
        ((ADDRESS, 'auth: {method: jwt, role: r, token: "env://CI_JWT"}'), "secret/portal"),
        ((ADDRESS, "auth: {method: kubernetes, role: r}"), "secret/portal"),
        ((ADDRESS, 'auth: {method: kubernetes, role: r, token: "file:///run/token", mount: k8s}'), "secret/portal"),
    ],
)
def test_a_good_store_is_accepted(tmp_path: Path, lines: tuple[str, ...], path: str) -> None:
    assert codes(tmp_path, lines, path) == []


@pytest.mark.parametrize(
    ("lines", "path", "code"),
    [
        ((TOKEN,), "secret/portal", "missing-key"),
        ((ADDRESS,), "secret/portal", "missing-key"),
        ((ADDRESS, "auth: {method: userpass}"), "secret/portal", "unknown-auth-method"),
        ((ADDRESS, "auth: {method: token, token: s.abc}"), "secret/portal", "plaintext-secret"),
        ((ADDRESS, 'auth: {method: token, token: "corp-vault://a/b"}'), "secret/portal", "unknown-scheme"),
        ((ADDRESS, 'auth: {method: approle, secret_id: "env://S"}'), "secret/portal", "missing-key"),
        (
            (ADDRESS, 'auth: {method: approle, role_id: r, role_id_from: "env://R", secret_id: "env://S"}'),
            "secret/portal",
            "duplicate-key",
        ),
        ((ADDRESS, "auth: {method: approle, role_id: r, secret_id: s}"), "secret/portal", "plaintext-secret"),
        ((ADDRESS, "auth: {method: kubernetes}"), "secret/portal", "missing-key"),
        (("address: http://vault.acme.example", TOKEN), "secret/portal", "insecure-url"),
        (("address: https://user@vault.acme.example", TOKEN), "secret/portal", "malformed-url"),
        ((ADDRESS, TOKEN, "mount: /secret/"), "secret/portal", "malformed-value"),
        ((ADDRESS, TOKEN, "mount: a/../b"), "secret/portal", "malformed-value"),
        ((ADDRESS, TOKEN, "mount: schlüssel"), "secret/portal", "malformed-value"),
        ((ADDRESS, TOKEN, 'namespace: "a\\nb"'), "secret/portal", "malformed-value"),
        ((ADDRESS, TOKEN, "kv_version: 3"), "secret/portal", "unknown-value"),
        ((ADDRESS, TOKEN, "tls_skip_verify: true"), "secret/portal", "unknown-key"),
        ((ADDRESS, TOKEN), "portal", "malformed-reference"),
        ((ADDRESS, TOKEN, "kv_version: 1"), "old/portal?version=2", "malformed-reference"),
    ],
)
def test_a_mistake_is_found_offline(tmp_path: Path, lines: tuple[str, ...], path: str, code: str) -> None:
    assert codes(tmp_path, lines, path) == [code]


def codes(folder: Path, lines: tuple[str, ...], path: str) -> list[str]:
    file = folder / "connections.yaml"
    file.write_text(MANIFEST.format(store="\n    ".join(lines), path=path))
    return [diagnostic.code for diagnostic in validate([str(file)]).diagnostics]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vault://secret/portal", ""),
        ("vault://secret/portal?version=3#id", ""),
        ("vault://secret", "begins with the mount"),
        ("vault://", "empty parts"),
        ("vault://secret/", "empty parts"),
        ("vault:///secret/portal", "empty parts"),
        ("vault://secret//portal", "empty parts"),
        ("vault://secret/../sys/seal", "dots"),
        ("vault://secret/./portal", "dots"),
        ("vault://secret/portal?version=latest", "a number"),
        ("vault://secret/portal?version=0", "a number"),
        ("vault://secret/portal?version=-1", "a number"),
    ],
)
def test_a_reference_is_judged_offline(text: str, words: str) -> None:
    found = lint("vault", text)

    assert bool(found) == bool(words)
    assert words in found


def test_a_path_below_the_mount_of_its_store_may_be_one_word() -> None:
    assert lint("vault", "corp-vault://portal", mount="secret") == ""


def test_references_of_a_login_are_secrets_and_the_rest_is_not(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    login = 'auth: {method: approle, role_id_from: "env://R", secret_id: "env://S", mount: m}'
    file.write_text(MANIFEST.format(store=f"{ADDRESS}\n    {login}", path="a/b"))

    store = load_manifest([str(file)]).stores["corp-vault"]

    assert {name: str(reference) for name, reference in store.references.items()} == {
        "auth.role_id_from": "env://R",
        "auth.secret_id": "env://S",
    }


# ------------------------------------------------------------------------------------------------------------ bare vault://


@pytest.mark.parametrize(("name", "counts"), [("HTTPS_PROXY", 1), ("VAULT_PROXY_ADDR", 2), ("VAULT_HTTP_PROXY", 2)])
def test_a_bare_reference_uses_the_proxy_of_the_environment(
    environment: pytest.MonkeyPatch, name: str, counts: int
) -> None:
    environment.setenv("NO_PROXY", "127.0.0.1")  # the variables of Vault itself know no exceptions
    with logging_proxy() as proxy:
        environment.setenv(name, proxy.url)
        assert value(StoreConfig(Path()), "vault://secret/bare") == API_KEY
        assert bool(proxy.targets) == (counts > 1)
        environment.delenv("NO_PROXY")
        assert value(StoreConfig(Path()), "vault://secret/bare") == API_KEY
        assert len(proxy.targets) == counts


@pytest.fixture
def environment(bao: OpenBao, reader: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of the field's own tools."""
    bao.call("POST", "secret/data/bare", {"data": {"value": API_KEY}})
    for name, setting in (("ADDR", bao.address), ("TOKEN", reader), ("CACERT", str(bao.ca_file))):
        monkeypatch.setenv(f"VAULT_{name}", setting)
    return monkeypatch


def test_a_bare_reference_uses_the_variables_of_other_tools(environment: pytest.MonkeyPatch) -> None:
    assert value(StoreConfig(Path()), "vault://secret/bare") == API_KEY
    environment.setenv("VAULT_NAMESPACE", "nowhere/")
    assert "namespace" in failure(StoreConfig(Path()), "vault://secret/bare").message


@pytest.mark.parametrize(
    ("name", "setting", "fault", "words"),
    [
        ("VAULT_ADDR", None, "secret_backend_unavailable", "VAULT_ADDR is not set"),
        ("VAULT_ADDR", "", "secret_backend_unavailable", "VAULT_ADDR is not set"),
        ("VAULT_ADDR", "vault.acme.example:8200", "secret_backend_unavailable", "VAULT_ADDR can't be used"),
        ("VAULT_ADDR", "http://vault.acme.example", "secret_backend_unavailable", "https only"),
        ("VAULT_ADDR", f"https://{API_KEY}@vault.acme.example", "secret_backend_unavailable", "no user name"),
        ("VAULT_TOKEN", None, "secret_denied", "VAULT_TOKEN is not set"),
        ("VAULT_TOKEN", f"{API_KEY}\nx", "secret_malformed", "line break"),
        ("VAULT_NAMESPACE", "a b", "secret_backend_unavailable", "VAULT_NAMESPACE can't be used"),
        ("VAULT_NAMESPACE", "ä", "secret_backend_unavailable", "VAULT_NAMESPACE can't be used"),
        ("VAULT_NAMESPACE", "a\nb", "secret_backend_unavailable", "VAULT_NAMESPACE can't be used"),
        ("VAULT_CACERT", "nothing.pem", "secret_backend_unavailable", "nothing.pem"),
    ],
)
def test_a_variable_that_is_no_good_is_named(
    environment: pytest.MonkeyPatch, name: str, setting: str | None, fault: str, words: str
) -> None:
    if setting is None:
        environment.delenv(name)
    else:
        environment.setenv(name, setting)

    refused = failure(StoreConfig(Path()), "vault://secret/bare")

    assert refused.fault.name == fault
    assert words in refused.message
    assert_no_canary(refused.hint)


def test_a_token_in_the_home_of_other_tools_is_not_taken(
    environment: pytest.MonkeyPatch, home: Path, reader: str
) -> None:
    environment.delenv("VAULT_TOKEN")
    (home / ".vault-token").write_text(reader)

    assert "VAULT_TOKEN is not set" in failure(StoreConfig(Path()), "vault://secret/bare").message
