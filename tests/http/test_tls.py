"""One TLS context per set of files for the whole process."""

from __future__ import annotations

import base64
import os
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from connform.errors import ConnectionFailed
from connform.http import ClientSettings, Network, async_client, sync_client
from connform.http.net import certificate_files, tls
from connform.regular_files import read_regular
from tests.http.exchanging import Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """Every context that is built, from an empty cache."""
    contexts: list[ssl.SSLContext] = []
    build = tls._empty_context

    def counting() -> ssl.SSLContext:
        contexts.append(build())
        return contexts[-1]

    monkeypatch.setattr(tls, "_empty_context", counting)
    tls._latest_context.cache_clear()
    return contexts


def test_one_context_for_a_thousand_clients(built: list[ssl.SSLContext]) -> None:
    threads = [
        threading.Thread(
            target=lambda: [
                make(ClientSettings("https://api.example.test")) for make in (sync_client, async_client) * 25
            ]
        )
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(built) == 1


def test_contexts_verify(built: list[ssl.SSLContext]) -> None:
    context = tls.context_for(ClientSettings("https://api.example.test"))

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.keylog_filename is None


def test_no_system_store_falls_back_to_certifi(
    monkeypatch: pytest.MonkeyPatch, built: list[ssl.SSLContext], tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    context = tls.context_for(ClientSettings("https://api.example.test"))

    assert context.cert_store_stats()["x509_ca"] > 50


def test_a_ca_file_replaces_the_system_store(
    mode: Mode, authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem)
    with Server(answer(), tls=authority.server()) as server:
        trusted = exchange(mode, settings_for(server, ca_file=ca_file))
        system = exchange(mode, settings_for(server))
        ca_file.write_bytes(stranger.pem)  # a renewed file gets a new context
        replaced = exchange(mode, settings_for(server, ca_file=ca_file))

    assert tls.context_for(ClientSettings("https://a.example", ca_file=ca_file)).cert_store_stats()["x509_ca"] == 1
    assert trusted.response is not None, trusted.error
    assert system.fault == "tls_untrusted_issuer"
    assert replaced.fault == "tls_untrusted_issuer"


@pytest.mark.parametrize("broken", ["missing", "directory", "rubbish", "encrypted"])
def test_unreadable_files(tmp_path: Path, authority: Authority, broken: str) -> None:
    file = tmp_path / "file.pem"
    if broken == "directory":
        file.mkdir()
    elif broken == "rubbish":
        file.write_text("not a certificate")
    elif broken == "encrypted":
        file.write_bytes(_encrypted(authority.client_certificate()))
    name = "client_cert" if broken == "encrypted" else "ca_file"

    with pytest.raises(ConnectionFailed) as raised:
        sync_client(ClientSettings("https://api.example.test", **{name: file}))  # type: ignore[arg-type]  # mypy can't see which
    assert raised.value.fault.name == "config_file_unreadable"
    assert str(file) in str(raised.value)


@pytest.mark.parametrize("kind", ["pipe", "device", "endless", "log", "too large", "empty"])
@pytest.mark.parametrize("name", ["ca_file", "client_cert", "client_key"])
def test_files_that_never_end_hold_up_nobody(tmp_path: Path, authority: Authority, name: str, kind: str) -> None:
    file, good = tmp_path / "file.pem", tmp_path / "good.pem"
    good.write_bytes(authority.client_certificate())
    make: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(file),
        "device": lambda: file.symlink_to("/dev/ptmx"),
        "endless": lambda: file.symlink_to("/dev/zero"),
        "log": lambda: file.symlink_to("/proc/kmsg"),
        "too large": lambda: file.write_bytes(bytes(9 * 1024 * 1024)),
        "empty": file.touch,
    }
    make[kind]()
    files = {"client_cert": good, "client_key": good} if name == "client_key" else {}

    with pytest.raises(ConnectionFailed) as raised:
        sync_client(ClientSettings("https://api.example.test", **{**files, name: file}))  # type: ignore[arg-type]  # mypy can't see which
    assert raised.value.fault.name == "config_file_unreadable"
    assert str(file) in str(raised.value)


def test_a_file_that_is_slow_to_read_holds_no_lock(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca_file, asked, go_on = tmp_path / "ca.pem", threading.Event(), threading.Event()
    ca_file.write_bytes(authority.pem)

    def slow(path: Path, limit: int) -> bytes:
        asked.set()
        assert go_on.wait(30)
        return read_regular(path, limit)

    monkeypatch.setattr(certificate_files, "read_regular", slow)
    waiting = threading.Thread(target=tls.context_for, args=[ClientSettings("https://a.example", ca_file=ca_file)])
    waiting.start()
    assert asked.wait(30)
    tls.context_for(ClientSettings("https://b.example"))  # would wait for ever
    go_on.set()
    waiting.join()


def test_a_bundle_may_hold_comments_and_what_openssl_adds(tmp_path: Path, authority: Authority) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes("# Főtanúsítvány\n".encode() + authority.pem)
    assert tls.context_for(ClientSettings("https://a.example", ca_file=ca_file)).cert_store_stats()["x509_ca"] == 1
    plain = x509.load_pem_x509_certificate(authority.pem).public_bytes(Encoding.DER)
    purposes = bytes.fromhex("300c300a06082b06010505070301")  # X509_CERT_AUX: trusted for TLS servers
    body = base64.encodebytes(plain + purposes).decode()
    ca_file.write_text(f"-----BEGIN TRUSTED CERTIFICATE-----\n{body}-----END TRUSTED CERTIFICATE-----\n")
    assert tls.context_for(ClientSettings("https://a.example", ca_file=ca_file)).cert_store_stats()["x509_ca"] == 1


def _encrypted(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(pem, None)
    return pem[pem.index(b"-----BEGIN CERTIFICATE") :] + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )


def test_a_route_reads_no_files(authority: Authority, tmp_path: Path) -> None:
    network = Network(route=lambda _host, _port: ("127.0.0.1", 1), ca_pem=authority.pem)
    missing = tmp_path / "missing.pem"

    sync_client(
        ClientSettings("https://a.example", ca_file=missing, client_cert=missing, client_key=missing, network=network)
    )


def test_a_route_trusts_its_authority_alone(mode: Mode, authority: Authority, stranger: Authority) -> None:
    with Server(answer(), tls=authority.server(), ca_pem=stranger.pem) as server:
        assert exchange(mode, settings_for(server)).fault == "tls_untrusted_issuer"
