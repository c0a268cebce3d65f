"""A real OpenBao that demands client certificates: what a store or the environment names is presented, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY
from tests.conftest import require_peer
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import failure, store_at, store_with, value

TEXT = "vault://secret/portal"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    folder = tmp_path_factory.mktemp("strict")
    with OpenBao(require_peer("bao"), folder, demands_certificate=True) as server:
        server.initialise()
        server.mount("secret", 2)
        server.call("PUT", "sys/policies/acl/reader", {"policy": 'path "secret/data/*" { capabilities = ["read"] }'})
        server.call("POST", "secret/data/portal", {"data": {"value": API_KEY}})
        server.call("POST", "sys/auth/cert", {"type": "cert"})
        role = {"certificate": server.ca_file.read_text(), "token_policies": ["reader"]}
        server.call("POST", "auth/cert/certs/connform", role)
        yield server


def tls(strict: OpenBao) -> dict[str, Any]:
    return {"client_cert": strict.client_cert.name, "client_key": strict.client_key.name}


def test_a_store_presents_its_certificate_by_paths_relative_to_its_folder(strict: OpenBao) -> None:
    assert value(store_at(strict, strict.root, tls=tls(strict)), TEXT) == API_KEY


def test_a_store_without_a_certificate_is_told_which_keys_to_write(strict: OpenBao) -> None:
    refused = failure(store_at(strict, strict.root), TEXT)
    assert refused.fault.name == "secret_backend_unavailable"
    assert "`tls: {client_cert, client_key}`" in refused.hint


def test_a_file_of_the_certificate_that_is_missing_is_named(strict: OpenBao) -> None:
    refused = failure(store_at(strict, strict.root, tls={**tls(strict), "client_key": "no.key"}), TEXT)
    assert "no.key" in refused.message


@pytest.mark.parametrize("auth", [{"method": "cert"}, {"method": "cert", "role": "connform", "mount": "cert"}])
def test_a_certificate_is_a_login(strict: OpenBao, auth: dict[str, str]) -> None:
    assert value(store_with(strict, auth, {}, tls=tls(strict)), TEXT) == API_KEY


def test_a_role_that_the_certificate_does_not_fit_is_said(strict: OpenBao) -> None:
    refused = failure(store_with(strict, {"method": "cert", "role": "another"}, {}, tls=tls(strict)), TEXT)
    assert (refused.fault.name, "`tls`" in refused.hint) == ("secret_denied", True)


@pytest.fixture
def environment(strict: OpenBao, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    settings = {
        "ADDR": strict.address,
        "TOKEN": strict.root,
        "CACERT": strict.ca_file,
        "CLIENT_CERT": strict.client_cert,
        "CLIENT_KEY": strict.client_key,
    }
    for name, setting in settings.items():
        monkeypatch.setenv(f"VAULT_{name}", str(setting))
    return monkeypatch


def test_without_a_store_the_certificate_of_the_environment_is_presented(environment: pytest.MonkeyPatch) -> None:
    assert value(StoreConfig(Path()), TEXT) == API_KEY


@pytest.mark.parametrize("name", ["VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"])
def test_half_a_certificate_is_said(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    assert "only one of VAULT_CLIENT_CERT and VAULT_CLIENT_KEY is set" in failure(StoreConfig(Path()), TEXT).message
