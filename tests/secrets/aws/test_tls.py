"""AWS with TLS, by an issuer that only the store names."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from connform.secret import Secret
from connform.secrets.kit.interface import StoreConfig
from connform.testing.logging_proxy import logging_proxy
from tests.conftest import require_peer
from tests.http.servers import Authority, Server, answer
from tests.secrets.aws.moto import REGION, Moto, running_moto
from tests.secrets.aws.reading import failure, read, shown


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="connform tests")


@pytest.fixture(scope="module")
def secure_moto(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    folder = tmp_path_factory.mktemp("secure")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    arguments = ("-s", "-c", str(folder / "cert.pem"), "-k", str(folder / "key.pem"))
    with running_moto(require_peer("moto_server"), folder, *arguments, tls=context) as server:
        yield server


@pytest.fixture
def secure_place(secure_moto: Moto, authority: trustme.CA, tmp_path: Path) -> StoreConfig:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = {"region": REGION, "profile": "reader", "endpoint_url": secure_moto.url, "ca_file": "ca.pem"}
    return StoreConfig(tmp_path, settings)


@pytest.mark.parametrize("text", ["awsssm:///secure", "awssecrets://secure"])
def test_the_store_names_the_issuer(secure_place: StoreConfig, secure_moto: Moto, text: str) -> None:
    secure_moto.put_parameter("/secure", "value")
    secure_moto.put_secret("secure", "value")
    assert shown(read(secure_place, text)) == ["value"]


def test_an_issuer_that_nobody_trusts_is_refused(secure_place: StoreConfig) -> None:
    settings = {key: value for key, value in secure_place.settings.items() if key != "ca_file"}
    found = failure(secure_place._replace(settings=settings), "awsssm:///secure")
    assert found.fault.name == "secret_backend_unavailable"
    assert "TLS" in found.message
    assert "ca_file" in found.hint


def test_a_file_of_issuers_that_is_missing_is_said(secure_place: StoreConfig) -> None:
    found = failure(secure_place._replace(settings={**secure_place.settings, "ca_file": "no.pem"}), "awsssm:///secure")
    assert found.fault.name == "secret_backend_unavailable"
    assert "no.pem" in found.message


def test_a_file_that_holds_no_issuer_is_said(secure_place: StoreConfig) -> None:
    (secure_place.base / "ca.pem").write_text("nothing\n", "utf-8")
    found = failure(secure_place, "awsssm:///secure")
    assert found.fault.name == "secret_backend_unavailable"
    assert found.hint


@pytest.mark.parametrize("text", ["awsssm:///secure", "awssecrets://secure"])
@pytest.mark.parametrize("has_password", [False, True])
def test_a_store_is_reached_by_its_proxy(
    secure_place: StoreConfig, secure_moto: Moto, text: str, has_password: bool
) -> None:
    secure_moto.put_parameter("/secure", "value")
    secure_moto.put_secret("secure", "value")
    with logging_proxy() as proxy:
        declared = {"url": proxy.url, "username": "a:b", "password": "env://P"} if has_password else proxy.url
        secrets = {"proxy.password": Secret("w/rd@")} if has_password else {}
        settings = {**secure_place.settings, "proxy": declared}
        assert shown(read(secure_place._replace(settings=settings, secrets=secrets), text)) == ["value"]
    assert set(proxy.targets) == {secure_moto.url.removeprefix("https://")}
    assert set(proxy.credentials) == {"Basic YTpiOncvcmRA" if has_password else ""}


@pytest.mark.parametrize("declared", [{}, {"proxy": "environment"}])
def test_else_the_environment_names_the_proxy_as_botocore_reads_it(
    secure_place: StoreConfig, secure_moto: Moto, declared: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_moto.put_parameter("/secure", "value")
    store = secure_place._replace(settings={**secure_place.settings, **declared})
    with logging_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert shown(read(store, "awsssm:///secure")) == ["value"]
        assert proxy.targets
        proxy.targets.clear()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert shown(read(store, "awsssm:///secure")) == ["value"]
        assert proxy.targets == []


def test_a_store_presents_its_client_certificate(tmp_path: Path) -> None:
    issuer = Authority()
    context = issuer.server("127.0.0.1")
    issuer.trust(context)
    (tmp_path / "ca.pem").write_bytes(issuer.pem)
    (tmp_path / "me.pem").write_bytes(issuer.client_certificate())
    body = b'{"Name": "secure", "SecretString": "value", "VersionId": "v"}'
    with Server(answer(body, "Content-Type: application/x-amz-json-1.1"), tls=context) as server:
        url = f"https://127.0.0.1:{server.port}"
        settings = {"region": REGION, "profile": "reader", "endpoint_url": url, "ca_file": "ca.pem"}
        store, text = StoreConfig(tmp_path, settings), "awssecrets://secure?version=AWSCURRENT"
        tls = {"client_cert": "me.pem", "client_key": "me.pem"}
        assert shown(read(store._replace(settings={**settings, "tls": tls}), text)) == ["value"]
        without = failure(store, text)
        assert (without.fault.name, "needs `tls:`" in without.hint) == ("secret_backend_unavailable", True)
        absent = failure(store._replace(settings={**settings, "tls": {**tls, "client_key": "no.key"}}), text)
        assert ("no.key" in absent.message, "client_key" in absent.hint) == (True, True)
