"""A token endpoint that answers another success than 200, or one that can't be read: no grant is lost without a word."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

import connform
from connform.database import open_grants
from connform.database.cipher import new_key
from connform.engine.login import Login, login
from connform.engine.run.state_location import StateLocation
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.database.postgres import Postgres
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import run_here as run
from tests.http.servers import Connection, Server, head
from tests.oauth.conftest import SECRET
from tests.oauth.test_verdicts import ENVIRONMENT, MANIFEST, prepare

PAGE = b"<html>welcome</html>"


class Rotating:
    """An API with a token endpoint that takes each refresh token once, and ends the grant when one comes again."""

    def __init__(self, *answers: tuple[int, bytes | None]) -> None:
        """Take the statuses of its answers, and what stands there instead of tokens."""
        self.answers = list(answers)
        self.current: str | None = AWKWARD
        self.calls = 0

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            path, _, form = request.split()[1], *request.partition(b"\r\n\r\n")[1:]
            status, body = (200, PACKAGES) if path.startswith(b"/api") else self._answer(form.decode())
            connection.send(head(status, [f"Content-Length: {len(body)}"]) + body)

    def _answer(self, form: str) -> tuple[int, bytes]:
        self.calls += 1
        (spent,) = parse_qs(form).get("refresh_token", [self.current])
        if spent != self.current:
            self.current = None
            return 400, b'{"error": "invalid_grant"}'
        status, instead = self.answers.pop(0)
        self.current = f"refresh-{self.calls}"
        issued = {"access_token": f"access-{self.calls}", "refresh_token": self.current, "expires_in": 1}
        return status, json.dumps(issued).encode() if instead is None else instead


@pytest.mark.parametrize("kept", ["SQLite", "PostgreSQL"])
@pytest.mark.parametrize("status", [200, 201, 202, 203])
def test_the_grant_lives_with_one_call_for_each_renewal(
    authority: Issuer, ca_file: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
    status: int, kept: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("PORTAL_SECRET", SECRET)
    url, key = "", ""
    if kept == "PostgreSQL":
        postgres: Postgres = request.getfixturevalue("postgres")
        url, key = postgres.fresh(), new_key()
        monkeypatch.setenv("STATE_KEY", key)
    endpoint = Rotating(*[(status, None)] * 3)
    with Server(endpoint, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, url, key)
        file = tmp_path / "connections.yaml"
        for calls in range(1, 4):  # each finds a token that has ended
            with connform.connect("customer", file, state=url, state_key="env://STATE_KEY" if key else "") as client:
                assert client.post("/packages/list").status_code == 200
            assert (endpoint.calls, endpoint.current) == (calls, f"refresh-{calls}")
            _end_the_access_token(file.parent, url, key)


def _end_the_access_token(folder: Path, url: str, key: str) -> None:
    store = open_grants(url, folder / ".connform", (lambda: Secret(key)) if key else None)
    with store.lock("customer", 5) as locked:
        grant = locked.read()
        assert grant is not None
        earlier = grant.facts.obtained_at - timedelta(hours=1)
        facts = grant.facts._replace(obtained_at=earlier, expires_at=earlier + timedelta(seconds=1))
        locked.write(grant._replace(facts=facts))
    store.close()


@pytest.mark.parametrize(("status", "body"), [(200, PAGE), (201, b"{}")])
def test_a_success_that_cannot_be_read_is_a_refresh_that_was_interrupted_and_the_next_use_says_so(
    authority: Issuer, ca_file: Path, tmp_path: Path, status: int, body: bytes
) -> None:
    endpoint = Rotating((status, body))
    with Server(endpoint, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file)
        first, second, third = (run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT) for _ in range(3))
    assert [ended.connection["class"] for ended in (first, second, third)] == ["refresh_interrupted"] * 3
    assert [ended.code for ended in (first, second, third)] == [4] * 3
    assert f"answered {status} without" in first.connection["message"]
    assert "tries the token once more" in first.connection["hint"]
    assert "connform login" in second.connection["hint"]
    assert endpoint.calls == 2  # the one further try; then the grant has ended, and nothing is sent


def test_a_login_takes_another_success_as_well(authority: Issuer, ca_file: Path, tmp_path: Path) -> None:
    endpoint = Rotating((201, None))
    with Server(endpoint, tls=authority.loopback()) as server:
        text = MANIFEST.format(port=server.port, ca_file=ca_file, total_s=30)
        (tmp_path / "connections.yaml").write_text(
            f"{text}      token_url: https://localhost:{server.port}/connect/token\n"
            f"      authorize_url: https://localhost:{server.port}/connect/authorize\n"
        )
        taken = run(*("login", "customer", "--with-refresh-token"), cwd=tmp_path, env=ENVIRONMENT, stdin=f"{AWKWARD}\n")
        assert (taken.code, endpoint.calls) == (0, 1), taken.err


def test_a_code_is_exchanged_with_another_success(
    authority: Issuer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_SECRET", SECRET)
    endpoint = Rotating((202, None))
    with Server(endpoint, tls=authority.loopback()) as server:
        (tmp_path / "connections.yaml").write_text(MANIFEST.format(port=server.port, ca_file=ca_file, total_s=30))
        with login([str(tmp_path / "connections.yaml")], "customer", state=StateLocation()) as started:
            assert isinstance(started, Login)
            (state,) = parse_qs(started.url.partition("?")[2])["state"]
            granted = started.finish(Secret(f"{started.redirect_uri}?code={API_KEY}&state={state}"))
    assert (granted.facts.is_renewable, endpoint.calls) == (True, 1)


def test_a_revocation_may_answer_another_success(authority: Issuer, ca_file: Path, tmp_path: Path) -> None:
    endpoint = Rotating((204, b""))
    with Server(endpoint, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file)
        text = (tmp_path / "connections.yaml").read_text()
        token_url, revoke_url = (f"https://localhost:{server.port}/connect/{name}" for name in ("token", "revoke"))
        (tmp_path / "connections.yaml").write_text(
            f"{text}      token_url: {token_url}\n      revoke_url: {revoke_url}\n"
        )
        ended = run("logout", "customer", cwd=tmp_path, env=ENVIRONMENT)
    assert ended.code == 0, ended.err
    assert "revoked and deleted" in ended.out
