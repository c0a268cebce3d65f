"""A grant by device code (RFC 8628), from login to revocation, at an OAuth server that was not written here."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.end_to_end.running import Run, start
from tests.end_to_end.running import run_here as run
from tests.oauth.provider import Provider


class DeviceLoginProcess:
    """A running `connform login`, with what it shows the person."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._process = start("login", "customer", *flags, cwd=folder)
        assert self._process.stderr is not None
        shown = ""
        for line in self._process.stderr:
            shown += line
            if "user_code=" in line:
                break
        found = re.search(r"\n  (https://\S+)\n\nenter this code there:\n\n  (\S+)\n[\s\S]*\n  (https://\S+)\n", shown)
        assert found is not None, (shown, self._process.wait())
        self.address, self.code, self.complete_address = found.groups()

    def end(self, code: int = 0) -> tuple[str, str]:
        out, err = self._process.communicate(timeout=60)
        assert self._process.returncode == code, err
        return out, err


def ask(folder: Path) -> Run:
    return run("request", "customer", "GET", "/me", cwd=folder)


def test_a_grant_from_login_to_revocation(tmp_path: Path, provider: Provider) -> None:
    (tmp_path / "connections.yaml").write_text(provider.device_manifest())
    assert json.loads(run("validate", "--format", "json", cwd=tmp_path).out)["diagnostics"] == []
    before = provider.counts
    login = DeviceLoginProcess(tmp_path, "--device", "--no-input")
    provider.consent_on_another_device(login.address, login.code)
    out, _ = login.end()
    assert out.startswith("customer is granted profile offline_access\n  access token   for ")
    assert ask(tmp_path).code == 0
    time.sleep(2.1)  # the access token ends
    checked = run("check", "--format", "json", cwd=tmp_path)
    assert (checked.code, checked.connection["verdict"]) == (0, "ready")
    assert provider.counts["refresh"] > before["refresh"]
    assert provider.counts["refused"] == before["refused"]

    ended = run("logout", "customer", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "the grant of customer was revoked and deleted\n"), ended.err
    assert provider.counts["revoked"] == before["revoked"] + 1
    assert "login_required" in ask(tmp_path).err


def test_a_server_that_is_known_by_its_issuer_says_where_devices_log_in(tmp_path: Path, provider: Provider) -> None:
    """And an app with a redirect may log in by device code as well."""
    manifest = json.loads(provider.public_manifest(provider.loopback_uris[0], issuer=provider.origin))
    for key in ("authorize_url", "token_url", "revoke_url"):
        del manifest["connections"]["customer"]["auth"][key]
    (tmp_path / "connections.yaml").write_text(json.dumps(manifest))
    login = DeviceLoginProcess(tmp_path, "--device")
    provider.consent_on_another_device(login.complete_address)
    login.end()
    assert ask(tmp_path).code == 0


def test_a_person_who_says_no_and_one_who_does_not_come(tmp_path: Path, lasting_provider: Provider) -> None:
    provider = lasting_provider
    (tmp_path / "connections.yaml").write_text(provider.device_manifest())
    login, other = DeviceLoginProcess(tmp_path), DeviceLoginProcess(tmp_path, "--timeout", "6")
    provider.consent_on_another_device(login.address, login.code, refuses=True)
    assert "login_denied" in login.end(4)[1]
    assert "login_timeout" in other.end(6)[1]
    assert "login_required" in ask(tmp_path).err


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--device", "--listen"], 64, "--device excludes --listen"),
        (["--listen"], 64, "has no redirect to listen for"),
        (["--no-input"], 64, "--device ask nothing here"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, lasting_provider: Provider, flags: list[str], code: int, words: str
) -> None:
    (tmp_path / "connections.yaml").write_text(lasting_provider.device_manifest())
    ended = run("login", "customer", *flags, cwd=tmp_path)
    assert (ended.code, words in ended.err) == (code, True), ended.err


def test_a_server_without_device_logins_is_named_as_such(tmp_path: Path, lasting_provider: Provider) -> None:
    manifest = lasting_provider.public_manifest(lasting_provider.loopback_uris[0])
    (tmp_path / "connections.yaml").write_text(manifest)
    ended = run("login", "customer", "--device", cwd=tmp_path)
    assert ended.code == 1, ended.err
    assert "write `device_authorization_url` and `token_url`, or `issuer`, under `auth:`" in ended.err


def test_a_login_that_waits_keeps_nobody_from_the_grant(tmp_path: Path, provider: Provider) -> None:
    """The grant is locked while the server is asked, not while a person is waited for."""
    (tmp_path / "connections.yaml").write_text(provider.device_manifest())
    login = DeviceLoginProcess(tmp_path)
    provider.consent_on_another_device(login.address, login.code)
    login.end()
    before = provider.counts["refresh"]
    waiting = DeviceLoginProcess(tmp_path)
    time.sleep(2.1)  # the access token ends
    assert ask(tmp_path).code == 0
    assert provider.counts["refresh"] > before
    provider.consent_on_another_device(waiting.address, waiting.code)
    assert "the grant that it replaces was not revoked" in waiting.end()[1]
    assert ask(tmp_path).code == 0
