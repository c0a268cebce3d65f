"""The list of logins says offline what a check finds out live, of every kind of grant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_grants
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import run_here as run
from tests.http.servers import Connection, Server, head
from tests.oauth.test_verdicts import ENVIRONMENT, MANIFEST

NOW = datetime.now(UTC)
LASTING = {"obtained_at": NOW, "expires_at": NOW + timedelta(hours=1)}
ENDING = {"obtained_at": NOW - timedelta(hours=1), "expires_at": NOW + timedelta(seconds=30)}
WITHOUT = {"is_renewable": False}
GRANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "one that is fresh": (LASTING, "", ""),
    "one that has ended, and can be renewed": ({}, "", ""),
    "one that is fresh, without a refresh token": (WITHOUT | LASTING, "", ""),
    "one without an end and a refresh token": (WITHOUT | {"expires_at": None}, "", ""),
    "one that has ended, without a refresh token": (WITHOUT, "login_required", "there is no refresh token"),
    "one that ends in a moment, without a refresh token": (WITHOUT | ENDING, "login_required", "no refresh token"),
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
        kept = grant(**({"token_url": f"https://localhost:{server.port}/connect/token"} | facts))
        keep(store, kept if kept.facts.is_renewable else kept._replace(refresh_token=None))
        store.close()
        listed = run("login", "--format", "json", cwd=tmp_path)
        assert server.connections == 0
        checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (listed.connection["class"], listed.code) == (fault, 4 if fault else 0)
    assert words in listed.connection["message"]
    assert (checked.connection["class"], checked.code) == (fault, listed.code), checked.out
