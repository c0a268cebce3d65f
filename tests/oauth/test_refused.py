"""A token that the API refuses although it has not ended: renewed once, silently, whoever asks."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import connform
from connform.errors import ConnectionFailed
from tests.canary import API_KEY
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import environment
from tests.end_to_end.running import run_here as run
from tests.http.servers import Connection, Server, head
from tests.oauth.conftest import SECRET
from tests.oauth.test_verdicts import ENVIRONMENT, prepare

RENEWED = "simulated-renewed-token"
API, TOKEN = "/api/v1/packages/list", "/connect/token"
ASK = ("request", "customer", "POST", "/packages/list", "--json", '{"take": 1, "skip": 0}')


class Account:
    """A customer's API with its token endpoint, on one host."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = set(accepted)
        """The tokens that the API takes."""
        self.refusal = 401
        """The status for any other token."""
        self.issues = RENEWED
        """What the token endpoint answers."""
        self.limited: list[str] = []
        """Header lines of a 429, if the API is to give one."""

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            status, body = 200, PACKAGES
            if request.startswith(f"POST {TOKEN} ".encode()):
                issued = {
                    "access_token": self.issues,
                    "token_type": "Bearer",
                    "expires_in": 3600,
                    "refresh_token": "next",
                }
                body = json.dumps(issued).encode()
            elif not any(f"Bearer {token}\r\n".encode() in request for token in self.accepted):
                status, body = self.refusal, b'{"error": "user_not_authorized"}'
            elif self.limited:
                status, body = 429, b"{}"
            lines = [f"Content-Length: {len(body)}", "Content-Type: application/json", *self.limited]
            connection.send(head(status, lines) + body)


def asked(server: Server) -> list[str]:
    """Return the paths of the requests that a server saw."""
    return [request.split()[1].decode() for request in server.requests]


def lasting() -> dict[str, Any]:
    """Return the times of a token that has neither ended nor just been obtained."""
    now = datetime.now(UTC)
    return {"obtained_at": now - timedelta(hours=1), "expires_at": now + timedelta(hours=1)}


@pytest.mark.parametrize("lasts_s", [None, 3600])
def test_a_token_that_is_refused_with_403_alone_is_renewed_too(
    authority: Issuer, ca_file: Path, tmp_path: Path, lasts_s: int | None
) -> None:
    """An API without 401; without `expires_in`, nothing else says that the token has ended."""
    account = Account(RENEWED)
    account.refusal = 403
    times = lasting() if lasts_s else lasting() | {"expires_at": None}
    with Server(account, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, **times)
        assert run("check", cwd=tmp_path, env=ENVIRONMENT).code == 0
        assert asked(server) == [API, TOKEN, API]


def test_the_hint_of_a_refused_grant_speaks_of_the_login(authority: Issuer, ca_file: Path, tmp_path: Path) -> None:
    account = Account()
    account.refusal = 403
    with Server(account, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, **lasting())
        ended = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (ended.code, ended.connection["class"]) == (4, "auth_denied")
    assert "connform login customer" in ended.connection["hint"]
    assert "key" not in ended.connection["hint"]


@pytest.mark.parametrize("verb", [("check",), ASK], ids=["check", "request"])
def test_a_token_that_is_refused_once_is_renewed_without_a_word(
    authority: Issuer, ca_file: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    with Server(Account(RENEWED), tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, **lasting())
        ended = run(*verb, cwd=tmp_path, env=ENVIRONMENT)
        assert (ended.code, ended.err) == (0, ""), ended.out
        assert asked(server) == [API, TOKEN, API]
        assert run(*verb, cwd=tmp_path, env=ENVIRONMENT).code == 0
        assert asked(server) == [API, TOKEN, API, API]


def test_a_token_that_is_always_refused_is_renewed_once_whoever_asks(
    authority: Issuer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(Account(), tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, **lasting())
        checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
        assert (checked.code, checked.connection["class"]) == (4, "auth_rejected")
        assert asked(server) == [API, TOKEN, API]
        assert run(*ASK, cwd=tmp_path, env=ENVIRONMENT).code == 4  # another process, within the cool-down
        monkeypatch.setenv("PORTAL_SECRET", SECRET)
        with connform.connect("customer", tmp_path / "connections.yaml") as client:
            assert [client.post("/packages/list").status_code for _ in range(3)] == [401] * 3
        assert asked(server) == [API, TOKEN, API, *[API] * 4]


_HOLDS_ITS_TOKEN = """
import sys, connform
with connform.connect("customer") as client:
    for _ in range(2):
        print(client.post("/packages/list", json={}).status_code, flush=True)
        sys.stdin.readline()
"""


def test_who_holds_a_token_that_another_process_has_rotated_goes_on_without_a_word(
    authority: Issuer, ca_file: Path, tmp_path: Path
) -> None:
    account = Account(API_KEY)
    with Server(account, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, **lasting())
        with subprocess.Popen(
            [sys.executable, "-c", _HOLDS_ITS_TOKEN],
            cwd=tmp_path,
            env=environment(ENVIRONMENT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "200\n"
            account.accepted = {RENEWED}
            assert run("check", cwd=tmp_path, env=ENVIRONMENT).code == 0
            assert holder.communicate("\n\n", timeout=60) == ("200\n", "")
        assert asked(server) == [API, API, TOKEN, API, API, API]


def test_a_rate_limit_holds_for_the_token_that_comes_next(
    authority: Issuer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_SECRET", SECRET)
    account = Account(RENEWED, "simulated-next-token")
    account.limited = ["Retry-After: 600"]
    with Server(account, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file)
        with connform.connect("customer", tmp_path / "connections.yaml") as client:
            assert client.post("/packages/list").status_code == 429
        account.issues = "simulated-next-token"
        prepare(tmp_path, server, ca_file)  # the token has ended
        with (
            connform.connect("customer", tmp_path / "connections.yaml") as client,
            pytest.raises(ConnectionFailed) as caught,
        ):
            client.post("/packages/list")
        assert caught.value.fault.name == "rate_limited"
        assert asked(server) == [TOKEN, API, TOKEN]
