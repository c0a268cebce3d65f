"""The list of logins says offline what a check finds out live, of every kind of grant."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pexpect
import pytest

from connform.database import open_grants
from connform.reporters.terminal import width_of
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import COMMAND, command_environment
from tests.end_to_end.running import run_here as run
from tests.http.servers import Connection, Server, head
from tests.oauth.test_verdicts import ENVIRONMENT, MANIFEST

NOW = datetime.now(UTC)
LASTING = {"obtained_at": NOW, "expires_at": NOW + timedelta(hours=1)}
ENDING = {"obtained_at": NOW - timedelta(hours=1), "expires_at": lambda: datetime.now(UTC) + timedelta(seconds=50)}
WITHOUT = {"is_renewable": False}
GRANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "one that is fresh": (LASTING, "", ""),
    "one that has ended, and can be renewed": ({}, "", ""),
    "one that is fresh, without a refresh token": (WITHOUT | LASTING, "", ""),
    "one without an end and a refresh token": (WITHOUT | {"expires_at": None}, "", ""),
    "one that has ended, without a refresh token": (WITHOUT, "login_required", "there is no refresh token"),
    "one that ends in a moment, without a refresh token": (WITHOUT | ENDING, "", ""),
    "one of another server": (
        LASTING | {"token_url": "https://localhost:1/token"},
        "login_required",
        "no longer speaks",
    ),
    "one of another app": (LASTING | {"client_id": "another"}, "login_required", "no longer speaks"),
    "one that the server refused": ({"ended": "login_required"}, "login_required", "no longer accepts"),
    "one whose answer was lost": ({"ended": "refresh_interrupted"}, "refresh_interrupted", ""),
}


def _api_and_token_endpoint(connection: Connection) -> None:
    tokens = json.dumps({"access_token": "new", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "next"})
    while request := connection.read_request():
        body = tokens.encode() if request.startswith(b"POST /connect/token ") else PACKAGES
        connection.send(head(200, ["Content-Type: application/json", f"Content-Length: {len(body)}"]) + body)


@pytest.mark.parametrize("case", GRANTS)
def test_the_list_says_what_a_check_would(authority: Issuer, ca_file: Path, tmp_path: Path, case: str) -> None:
    facts, fault, words = GRANTS[case]
    with Server(_api_and_token_endpoint, tls=authority.loopback()) as server:
        (tmp_path / "connections.yaml").write_text(MANIFEST.format(port=server.port, ca_file=ca_file, total_s=30))
        store = open_grants("", tmp_path / ".connform", None)
        known = {name: value() if callable(value) else value for name, value in facts.items()}
        kept = grant(**({"token_url": f"https://localhost:{server.port}/connect/token"} | known))
        keep(store, kept if kept.facts.is_renewable else kept._replace(refresh_token=None))
        store.close()
        listed = run("login", "--format", "json", cwd=tmp_path)
        assert server.connections == 0
        checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (listed.connection["class"], listed.code) == (fault, 4 if fault else 0)
    assert words in listed.connection["message"]
    assert (checked.connection["class"], checked.code) == (fault, listed.code), checked.out


TABLE: dict[str, dict[str, Any]] = {
    "granted": {"account": "jane@acme.example", "refresh_ends_at": NOW + timedelta(days=90, minutes=1)} | LASTING,
    "expired": WITHOUT,
    "ended": {"ended": "login_required"},
    "needed": {"client_id": "another"},
}
MANY = "".join(
    f"""  {name}:
    environment: private
    base_url: https://localhost:1/api/v1
    auth:
      {{method: oauth2, client_id: acme, client_secret: env://S, redirect_uri: "https://localhost:8443/", scopes: [profile, offline_access, organization]}}
"""
    for name in (*TABLE, "new")
)


def test_the_list_says_who_granted_what_until_when(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(f"version: 1\nconnections:\n{MANY}")
    store = open_grants("", tmp_path / ".connform", None)
    for name, facts in TABLE.items():
        known: dict[str, Any] = {"token_url": "https://localhost:1/connect/token", "client_id": "acme"}
        kept = grant(name, **(known | {"scopes": ("profile",)} | facts))
        keep(store, kept if kept.facts.is_renewable else kept._replace(refresh_token=None))
    store.close()
    listed = run("login", "--format", "json", cwd=tmp_path)
    found = {name: (one["login"], (one["grant"] or {}).get("account")) for name, one in listed.connections.items()}
    assert found == {
        "granted": ("granted", "jane@acme.example"),
        "expired": ("expired", ""),
        "ended": ("ended", ""),
        "needed": ("needed", ""),
        "new": ("needed", None),
    }
    assert listed.code == 4
    granted = listed.connections["granted"]
    assert granted["warning_codes"] == ["scopes-not-granted"]
    assert granted["grant"]["refresh_token_expires_at"] > granted["grant"]["access_token_expires_at"] > ""
    assert (granted["grant"]["scopes"], granted["grant"]["has_refresh_token"]) == (["profile"], True)
    with pexpect.spawn(
        COMMAND,
        ["login"],
        cwd=tmp_path,
        env=command_environment({"NO_COLOR": "1"}),
        timeout=30,
        encoding="utf-8",
        dimensions=(24, 80),
    ) as terminal:
        terminal.expect(pexpect.EOF)
        lines = str(terminal.before).splitlines()
    assert max(map(width_of, lines)) <= 80
    (row,) = [line for line in lines if re.search(r"granted.*for 5\d minutes", line)]
    assert re.search(r"for [23] months|for \d\d days", row)
    assert "5 connections in 1 file: 1 granted, 4 to log in, 1 warning" in "\n".join(lines)


def test_a_manifest_without_oauth_has_nothing_to_log_in_to(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(
        "version: 1\nconnections:\n  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://K}}\n"
    )
    listed = run("login", cwd=tmp_path)
    assert (listed.code, listed.out) == (0, "no connection in 1 file uses OAuth: nothing to log in to\n")
