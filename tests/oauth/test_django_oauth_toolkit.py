"""Device code and client credentials at django-oauth-toolkit, a server that was not written here."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.tokens.client_credentials import ClientCredentials
from connform.errors import ConnectionFailed
from connform.http.settings import ClientSettings
from connform.secret import Secret
from tests.conftest import require_library
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import environment
from tests.end_to_end.running import run_here as run
from tests.oauth.conftest import SECRET
from tests.oauth.test_device_code import DeviceLoginProcess

require_library("oauth2_provider")


@pytest.fixture(scope="module")
def origin(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("django")
    pem = folder / "server.pem"
    pem.write_bytes(authority.pem_for("localhost"))
    pem.chmod(0o600)
    script = Path(__file__).with_name("django_server.py")
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, script, pem, folder],
            env=environment({"CLIENT_SECRET": SECRET}),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder / "log").read_text()
            yield f"https://localhost:{int(line)}"
        finally:
            process.kill()


def decide(address: str, code: str, ca_file: Path, action: str) -> None:
    """Do what the person does, who is logged in there."""
    trust = ssl.create_default_context(cafile=ca_file)
    with httpx.Client(verify=trust, follow_redirects=True) as browser:
        page = browser.get(address)
        page = browser.post(str(page.url), data={"user_code": code})
        assert "requests access" in page.text, page.text
        page = browser.post(urljoin(str(page.url), ""), data={"action": action})
        assert re.search(r"Device \w+", page.text), page.text


def declare(folder: Path, origin: str, ca_file: Path) -> None:
    auth = {
        "method": "device_code",
        "client_id": "tv",
        "scopes": ["read", "write"],
        "device_authorization_url": f"{origin}/o/device-authorization/",
        "token_url": f"{origin}/o/token/",
        "revoke_url": f"{origin}/o/revoke_token/",
    }
    customer = {
        "provider": "http",
        "base_url": f"{origin}/api",
        "check": {"path": "/me", "expect": {"body": {"const": {"app": "person"}}}},
        "tls": {"ca_file": str(ca_file)},
        "auth": auth,
    }
    (folder / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {"customer": customer}}))


def test_a_grant_from_login_to_revocation(tmp_path: Path, origin: str, ca_file: Path) -> None:
    declare(tmp_path, origin, ca_file)
    login = DeviceLoginProcess(tmp_path)
    decide(login.address, login.code, ca_file, "accept")
    out, _ = login.end()
    assert out.startswith("customer is granted read write")
    checked = run("check", "--format", "json", cwd=tmp_path)
    assert (checked.code, checked.connection["verdict"]) == (0, "ready"), checked.out
    assert run("token", "customer", "--force-renew", cwd=tmp_path).code == 0
    assert run("check", cwd=tmp_path).code == 0
    ended = run("logout", "customer", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "the grant of customer was revoked and deleted\n"), ended.err


def test_a_person_who_says_no(tmp_path: Path, origin: str, ca_file: Path) -> None:
    declare(tmp_path, origin, ca_file)
    login = DeviceLoginProcess(tmp_path)
    decide(login.address, login.code, ca_file, "deny")
    assert "login_denied" in login.end(4)[1]


@pytest.mark.parametrize("way", ["basic", "body"])
def test_a_service_gets_a_token_that_the_api_takes(origin: str, ca_file: Path, way: str) -> None:
    reach = ClientSettings(origin, ca_file=ca_file)

    def request(secret: str, *scopes: str) -> ClientCredentials:
        endpoint = TokenEndpoint(f"{origin}/o/token/", App("robot", Secret(secret), way), reach)
        return ClientCredentials(endpoint, scopes, {})

    tokens = request(SECRET, "read").obtain(time.monotonic() + 30)
    assert (tokens.scopes, tokens.lifetime_s) == (("read",), 3600)
    answer = httpx.get(
        f"{origin}/api/me",
        headers={"Authorization": f"Bearer {tokens.access_token.reveal()}"},
        verify=ssl.create_default_context(cafile=ca_file),
    )
    assert answer.json() == {"app": "robot"}
    for refused, words in {
        request("another", "read"): "401 invalid_client",
        request(SECRET, "all"): "invalid_scope",
    }.items():
        with pytest.raises(ConnectionFailed) as raised:
            refused.obtain(time.monotonic() + 30)
        assert (raised.value.fault.name, words in raised.value.message) == ("client_credentials_rejected", True)
