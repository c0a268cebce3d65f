"""A grant from login to revocation, at an OAuth server that was not written here."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from connform.database import open_grants
from tests.end_to_end.running import Run, start
from tests.end_to_end.running import run_here as run
from tests.oauth.conftest import SECRET
from tests.oauth.provider import Provider

ENVIRONMENT = {"PORTAL_SECRET": SECRET}
ASK = ("request", "customer", "POST", "/packages/list", "--json", '{"take": 1, "skip": 0}')


def declare(folder: Path, provider: Provider, **auth: str) -> None:
    (folder / "connections.yaml").write_text(provider.manifest(**auth))


def begin_login(
    folder: Path, *flags: str, variables: Mapping[str, str] = ENVIRONMENT, connection: str = "customer"
) -> tuple[subprocess.Popen[str], str]:
    """Start a login, and return its process with the address that it shows."""
    process = start("login", connection, *flags, cwd=folder, env=variables, stdin=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"https://\S+", line):
            return process, match[0]
    pytest.fail(f"no address was shown: {process.wait()}")


def log_in(folder: Path, provider: Provider, variables: Mapping[str, str] = ENVIRONMENT) -> str:
    """Log in by pasting."""
    process, url = begin_login(folder, variables=variables)
    out, err = process.communicate(provider.consent(url) + "\n", timeout=60)
    assert process.returncode == 0, err
    return out


def log_in_listening(folder: Path, provider: Provider, certificate: Path) -> str:
    process, url = begin_login(folder, "--listen", "--cert", str(certificate), "--no-input")
    provider.open(provider.consent(url))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def ask(folder: Path) -> Run:
    return run(*ASK, cwd=folder, env=ENVIRONMENT)


@pytest.mark.parametrize("way", ["paste", "listen"])
@pytest.mark.parametrize(
    "auth", [{}, {"client_id": "acme-body", "client_auth": "body"}], ids=["secret-in-a-header", "secret-in-the-body"]
)
def test_a_grant_from_login_to_revocation(
    tmp_path: Path, provider: Provider, certificate: Path, auth: dict[str, str], way: str
) -> None:
    declare(tmp_path, provider, **auth)
    assert run("login", cwd=tmp_path, env=ENVIRONMENT).code == 4  # one connection needs a login
    before = provider.counts
    out = log_in(tmp_path, provider) if way == "paste" else log_in_listening(tmp_path, provider, certificate)
    assert "profile offline_access organization" in out
    assert run("login", cwd=tmp_path, env=ENVIRONMENT).code == 0

    assert ask(tmp_path).code == 0
    ready = provider.counts  # on a loaded machine, the first token may have ended by then
    time.sleep(2.1)  # the access token ends
    assert ask(tmp_path).code == 0
    time.sleep(2.1)
    checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (checked.code, checked.connection["verdict"]) == (0, "ready")
    after = provider.counts
    assert (after["code"] - before["code"], after["refresh"] - ready["refresh"]) == (1, 2)
    assert after["refused"] == before["refused"]
    assert after["rejected"] == ready["rejected"]  # renewed before it was refused

    ended = run("logout", "customer", cwd=tmp_path, env=ENVIRONMENT)
    assert (ended.code, ended.out) == (0, "the grant of customer was revoked and deleted\n"), ended.err
    assert provider.counts["revoked"] == before["revoked"] + 1
    denied = ask(tmp_path)
    assert denied.code == 4
    assert "login_required" in denied.err


def test_a_second_login_leaves_the_first_grant_to_its_server_and_says_so(
    tmp_path: Path, lasting_provider: Provider
) -> None:
    """Revoking it could end the new one as well: many servers end all grants of app and customer."""
    provider = lasting_provider
    declare(tmp_path, provider)
    warnings = []
    before = provider.counts["revoked"]
    for _ in range(2):
        process, url = begin_login(tmp_path)
        _, err = process.communicate(provider.consent(url) + "\n", timeout=60)
        assert process.returncode == 0, err
        warnings.append("the grant that it replaces was not revoked" in err)
    assert run("logout", "customer", cwd=tmp_path, env=ENVIRONMENT).code == 0
    process, url = begin_login(tmp_path)
    _, err = process.communicate(provider.consent(url) + "\n", timeout=60)
    warnings.append("was not revoked" in err)
    assert warnings == [False, True, False]
    assert provider.counts["revoked"] == before + 1  # by the logout


def test_a_narrowed_grant_is_a_warning(tmp_path: Path, lasting_provider: Provider) -> None:
    """The server drops `offline_access` from a request without `prompt=consent`: less is granted than was asked for."""
    provider = lasting_provider
    declare(tmp_path, provider, authorize_url=f"{provider.origin}/connect/authorize")
    process, url = begin_login(tmp_path)
    _, err = process.communicate(provider.consent(url) + "\n", timeout=60)
    assert process.returncode == 0, err
    assert "warning: the customer did not grant offline_access" in err
    assert "warning: there is no refresh token" in err
    checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (checked.code, checked.connection["verdict"]) == (0, "ready")
    (remark,) = checked.connection["warnings"]
    assert checked.connection["warning_codes"] == ["scopes-not-granted"]
    assert "did not grant offline_access" in remark


def test_a_discovered_server_and_a_refresh_token_from_elsewhere(tmp_path: Path, provider: Provider) -> None:
    """The second host gets its grant from a secret manager, and finds the endpoints by the issuer's name."""
    declare(tmp_path, provider)
    log_in(tmp_path, provider)
    spent = _refresh_token(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    declare(elsewhere, provider, issuer=provider.origin)
    taken = run("login", "customer", "--with-refresh-token", cwd=elsewhere, env=ENVIRONMENT, stdin=spent)
    assert taken.code == 0, taken.err
    assert ask(elsewhere).code == 0
    time.sleep(2.1)
    assert ask(elsewhere).code == 0
    again = run("login", "customer", "--with-refresh-token", cwd=elsewhere, env=ENVIRONMENT, stdin=spent)
    assert (again.code, "has a grant that works" in again.err) == (7, True), "its server would end the grant"
    time.sleep(2.1)
    assert ask(elsewhere).code == 0, "the grant is as it was"
    assert run("logout", "customer", "--only-here", cwd=elsewhere, env=ENVIRONMENT).code == 0
    again = run("login", "customer", "--with-refresh-token", cwd=elsewhere, env=ENVIRONMENT, stdin=spent)
    assert (again.code, "login_required" in again.err) == (4, True)


@pytest.mark.parametrize("remembered", [True, False])
def test_the_grant_of_a_discovered_server_is_revoked_where_that_says(
    tmp_path: Path, provider: Provider, *, remembered: bool
) -> None:
    """Grants of earlier versions don't vouch for the revocation endpoint: it is looked up again."""
    manifest = json.loads(provider.manifest(issuer=provider.origin))
    del manifest["connections"]["customer"]["auth"]["authorize_url"]
    (tmp_path / "connections.yaml").write_text(json.dumps(manifest))
    process, url = begin_login(tmp_path)
    _, err = process.communicate(provider.consent(url.replace("?", "?prompt=consent&")) + "\n", timeout=60)
    assert process.returncode == 0, err
    if not remembered:
        store = open_grants("", tmp_path / ".connform", None)
        with store.lock("customer", 5) as locked:
            grant = locked.read()
            assert grant is not None
            locked.write(grant._replace(facts=grant.facts._replace(revoke_url="")))
        store.close()
    before = provider.counts["revoked"]
    out = run("logout", "customer", cwd=tmp_path, env=ENVIRONMENT)
    assert (out.code, out.out) == (0, "the grant of customer was revoked and deleted\n"), out.err
    assert provider.counts["revoked"] == before + 1


def _refresh_token(folder: Path) -> str:
    store = open_grants("", folder / ".connform", None)
    grant = store.read("customer")
    store.close()
    assert grant is not None
    assert grant.refresh_token is not None
    return grant.refresh_token.reveal()
