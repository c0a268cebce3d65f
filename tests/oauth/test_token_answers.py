"""The token endpoints of known vendors: what their documented answers become at a login and at a renewal."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

import connform
from connform.database import open_grants
from connform.engine.login import Login, login
from connform.engine.new_grant import LoginResult
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed
from connform.grant import Grant
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import run_here as run
from tests.http.servers import Connection, Server, head
from tests.oauth.conftest import SECRET

ROWS: list[dict[str, Any]] = yaml.load(
    Path(__file__).with_name("token_answers.yaml").read_text("utf-8"), yaml.CSafeLoader
)
LOGINS = [row for row in ROWS if row["case"].startswith("login")]
RENEWALS = [row for row in ROWS if row["case"].startswith("renewal")]
ENVIRONMENT = {"PORTAL_SECRET": SECRET}


def name_of(row: dict[str, Any]) -> str:
    return f"{row['vendor']}: {row['case']}"


class Vendor:
    """A vendor's API, with a token endpoint that gives one answer."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.answer = row.get("status", 200), json.dumps(row["answer"]).encode()
        self.api_status = 200
        self.calls: list[str] = []
        """What the token endpoint was asked: the grant types."""
        self.form: dict[str, list[str]] = {}
        """What it was asked last."""
        self.sent: list[str] = []
        """The Authorization headers that the API got."""

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request().decode():
            lines, _, form = request.partition("\r\n\r\n")
            status, body = self.answer if lines.startswith("POST /token ") else (self.api_status, b"{}")
            if lines.startswith("POST /token "):
                self.form = parse_qs(form)
                self.calls += self.form["grant_type"]
            else:
                self.sent += [line.partition(" ")[2] for line in lines.splitlines() if line.startswith("Authorization")]
            connection.send(head(status, [f"Content-Length: {len(body)}", "Content-Type: application/json"]) + body)


def declare(folder: Path, server: Server, ca_file: Path, row: dict[str, Any]) -> Path:
    here = f"https://localhost:{server.port}"
    auth = {
        "method": "oauth2",
        "client_id": "acme-portal",
        "client_secret": "env://PORTAL_SECRET",
        "redirect_uri": "https://localhost/auth",
        "authorize_url": f"{here}/authorize",
        "token_url": f"{here}/token",
        "scopes": row["scopes"],
    }
    api = {
        "provider": "http",
        "base_url": here,
        "tls": {"ca_file": str(ca_file)},
        "check": {"path": "/me", "expect": {"body": {"const": {}}}},
    }
    file = folder / "connections.yaml"
    file.write_text(json.dumps({"version": 1, "connections": {"customer": {**api, "auth": auth}}}))
    return file


def log_in(file: Path) -> LoginResult:
    with login([str(file)], "customer", state=StateLocation()) as started:
        assert isinstance(started, Login)
        (state,) = parse_qs(urlsplit(started.url).query)["state"]
        return started.finish(Secret(f"{started.redirect_uri}?code={API_KEY}&state={state}"))


def age(folder: Path, **facts: Any) -> None:
    """Let an hour pass for the stored grant."""
    store = open_grants("", folder / ".connform", None)
    kept = store.read("customer")
    assert kept is not None
    earlier = kept.facts.obtained_at - timedelta(hours=1)
    keep(store, kept._replace(facts=kept.facts._replace(obtained_at=earlier, **facts)))
    store.close()


def stored(folder: Path) -> Grant:
    store = open_grants("", folder / ".connform", None)
    kept = store.read("customer")
    store.close()
    assert kept is not None
    return kept


def assert_granted(kept: Grant, row: dict[str, Any], before: datetime) -> None:
    """Assert the tokens, the life and the scopes of a row, which were obtained since a time."""
    facts, lasts_s = kept.facts, row.get("lasts_s")
    assert kept.access_token.reveal() == row["answer"]["access_token"]
    refresh_token = AWKWARD if row.get("refresh_token") == "the old one" else row.get("refresh_token")
    assert (kept.refresh_token.reveal() if kept.refresh_token else None) == refresh_token
    assert (list(facts.scopes), facts.is_renewable) == (row["granted"], refresh_token is not None)
    assert before <= facts.obtained_at <= datetime.now(UTC)
    assert facts.expires_at == (facts.obtained_at + timedelta(seconds=lasts_s) if lasts_s else None)


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SECRET", SECRET)


def test_a_login_shows_its_code_with_what_belongs_to_it(authority: Issuer, ca_file: Path, tmp_path: Path) -> None:
    """RFC 6749 §4.1.3, RFC 7636 §4.2: the challenge has no padding."""
    vendor = Vendor(LOGINS[0])
    with Server(vendor, tls=authority.loopback()) as server:
        file = declare(tmp_path, server, ca_file, LOGINS[0])
        with login([str(file)], "customer", state=StateLocation()) as started:
            assert isinstance(started, Login)
            asked = parse_qs(urlsplit(started.url).query)
            started.finish(Secret(f"{started.redirect_uri}?code={API_KEY}&state={asked['state'][0]}"))
    (verifier,) = vendor.form.pop("code_verifier")
    digest = sha256(verifier.encode()).digest()
    assert asked["code_challenge"] == [urlsafe_b64encode(digest).decode().rstrip("=")]
    assert vendor.form == {
        "grant_type": ["authorization_code"],
        "code": [API_KEY],
        "redirect_uri": ["https://localhost/auth"],
    }


def test_each_row_says_what_becomes_of_it_and_where_it_is_from() -> None:
    assert len(LOGINS) + len(RENEWALS) == len(ROWS)
    assert len({name_of(row) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert ("fault" in row) is ("granted" not in row), name_of(row)
        assert row["source"].endswith(", read 2026-11-28"), name_of(row)


@pytest.mark.parametrize("row", [row for row in LOGINS if "fault" not in row], ids=name_of)
def test_a_login_stores_usable_tokens(authority: Issuer, ca_file: Path, tmp_path: Path, row: dict[str, Any]) -> None:
    vendor = Vendor(row)
    with Server(vendor, tls=authority.loopback()) as server:
        file, before = declare(tmp_path, server, ca_file, row), datetime.now(UTC)
        assert log_in(file).missing_scopes == ()
        assert_granted(stored(tmp_path), row, before)
        with connform.connect("customer", file) as client:
            assert client.get("/me").status_code == 200
        checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (checked.code, checked.connection["warnings"]) == (0, [])
    assert vendor.calls == ["authorization_code"]
    assert set(vendor.sent) == {f"Bearer {row['answer']['access_token']}"}


@pytest.mark.parametrize("row", [row for row in LOGINS if "fault" not in row and "lasts_s" not in row], ids=name_of)
def test_a_token_without_a_known_end_is_used_until_it_is_refused(
    authority: Issuer, ca_file: Path, tmp_path: Path, row: dict[str, Any]
) -> None:
    vendor = Vendor(row)
    with Server(vendor, tls=authority.loopback()) as server:
        log_in(declare(tmp_path, server, ca_file, row))
        age(tmp_path)
        used = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
        vendor.api_status = 401
        refused = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (used.code, vendor.calls[0]) == (0, "authorization_code")
    is_renewable = "refresh_token" in row
    assert refused.connection["class"] == ("auth_rejected" if is_renewable else "login_required")
    assert vendor.calls[1:] == ["refresh_token"] * is_renewable
    assert refused.code == 4


@pytest.mark.parametrize("row", [row for row in LOGINS if "fault" in row], ids=name_of)
def test_a_login_that_is_refused_says_why(
    authority: Issuer, ca_file: Path, tmp_path: Path, row: dict[str, Any]
) -> None:
    with Server(Vendor(row), tls=authority.loopback()) as server:
        file = declare(tmp_path, server, ca_file, row)
        with pytest.raises(ConnectionFailed) as caught:
            log_in(file)
    assert caught.value.fault.name == row["fault"]


def test_a_login_without_scopes_says_so(authority: Issuer, ca_file: Path, tmp_path: Path) -> None:
    (row,) = [row for row in RENEWALS if row["vendor"] == "Notion"]
    with Server(Vendor(row), tls=authority.loopback()) as server:
        declare(tmp_path, server, ca_file, row)
        taken = run(*("login", "customer", "--with-refresh-token"), cwd=tmp_path, env=ENVIRONMENT, stdin=f"{AWKWARD}\n")
    assert (taken.code, taken.out.partition("\n")[0], taken.err) == (0, "customer is granted access", "")


@pytest.mark.parametrize("row", RENEWALS, ids=name_of)
def test_a_renewal_stores_the_new_tokens_or_says_why_not(
    authority: Issuer, ca_file: Path, tmp_path: Path, row: dict[str, Any]
) -> None:
    vendor = Vendor(row)
    with Server(vendor, tls=authority.loopback()) as server:
        declare(tmp_path, server, ca_file, row)
        store = open_grants("", tmp_path / ".connform", None)
        keep(store, grant(token_url=f"https://localhost:{server.port}/token", scopes=tuple(row["scopes"])))
        store.close()
        before = datetime.now(UTC)
        first, second = (run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT) for _ in range(2))
    assert first.connection.get("class", "") == second.connection.get("class", "") == row.get("fault", "")
    if "fault" not in row:
        assert_granted(stored(tmp_path), row, before)
    is_final = row.get("fault") in {None, "login_required"}  # a grant that has ended is not tried again
    assert vendor.calls == ["refresh_token"] * (1 if is_final else 2)
    assert stored(tmp_path).facts.ended == ("login_required" if row.get("fault") == "login_required" else "")
