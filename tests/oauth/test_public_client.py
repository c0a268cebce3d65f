"""A public client with a plain http redirect to this machine (RFC 8252), at an OAuth server that was not written here."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.end_to_end.running import Run
from tests.end_to_end.running import run_here as run
from tests.oauth.provider import Provider
from tests.oauth.test_whole_life import begin_login


def ask(folder: Path) -> Run:
    return run("request", "customer", "GET", "/me", cwd=folder)


def log_in_listening(folder: Path, provider: Provider) -> str:
    """Log in without a certificate and without a secret."""
    process, url = begin_login(folder, "--listen", "--no-input", variables={})
    provider.open(provider.consent(url))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_grant_from_login_to_revocation(tmp_path: Path, provider: Provider, host: str) -> None:
    if host == "[::1]" and not has_ipv6():
        pytest.skip("this machine has no ::1")
    (redirect_uri,) = [uri for uri in provider.loopback_uris if host in uri]
    (tmp_path / "connections.yaml").write_text(provider.public_manifest(redirect_uri))
    before = provider.counts
    assert "profile offline_access" in log_in_listening(tmp_path, provider)
    assert ask(tmp_path).code == 0
    ready = provider.counts
    time.sleep(2.1)  # the access token ends
    checked = run("check", "--format", "json", cwd=tmp_path)
    assert (checked.code, checked.connection["verdict"]) == (0, "ready")
    after = provider.counts
    assert (after["code"] - before["code"], after["refresh"] - ready["refresh"]) == (1, 1)
    assert after["refused"] == before["refused"]

    ended = run("logout", "customer", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "the grant of customer was revoked and deleted\n"), ended.err
    assert provider.counts["revoked"] == before["revoked"] + 1
    assert "login_required" in ask(tmp_path).err


def test_a_login_by_pasting(tmp_path: Path, lasting_provider: Provider) -> None:
    """Nothing listens at the redirect: the person pastes the address. The server gives no refresh token for these scopes."""
    provider = lasting_provider
    manifest = provider.public_manifest(provider.loopback_uris[0], scopes=["profile"])
    (tmp_path / "connections.yaml").write_text(manifest)
    assert json.loads(run("validate", "--format", "json", cwd=tmp_path).out)["diagnostics"] == []
    process, url = begin_login(tmp_path, variables={})
    out, err = process.communicate(provider.consent(url) + "\n", timeout=60)
    assert (process.returncode, out.startswith("customer is granted profile\n")) == (0, True), err
    assert "did not grant" not in err
    assert ask(tmp_path).code == 0


@pytest.mark.parametrize(
    ("redirect_uri", "flags", "words"),
    [
        ("http://127.0.0.1:1/callback", ["--cert", "localhost.pem"], "an http address"),
        ("https://127.0.0.1:1/callback", [], "--listen needs --cert"),
    ],
)
def test_a_certificate_is_for_https_alone(
    tmp_path: Path, lasting_provider: Provider, redirect_uri: str, flags: list[str], words: str
) -> None:
    (tmp_path / "connections.yaml").write_text(lasting_provider.public_manifest(redirect_uri))
    ended = run("login", "customer", "--listen", *flags, cwd=tmp_path)
    assert (ended.code, words in ended.err) == (64, True), ended.err


def test_plain_http_leads_to_this_machine_alone(tmp_path: Path, lasting_provider: Provider) -> None:
    manifest = lasting_provider.public_manifest("http://app.acme.example/callback")
    (tmp_path / "connections.yaml").write_text(manifest)
    found = json.loads(run("validate", "--format", "json", cwd=tmp_path).out)
    assert [one["code"] for one in found["diagnostics"]] == ["insecure-url"]
