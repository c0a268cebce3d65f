"""A declared provider is part of its connections: what is changed in it is planned, shown, and refused where it moves a secret."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from connform.engine.changes.sends import sends
from connform.engine.changes.specification import specify
from connform.engine.load.manifest import load_manifest
from tests.canary import API_KEY
from tests.http.servers import Connection, Server, head

REFUSED = 7
CHANGES = 2
Node = dict[str, Any]


def answer(connection: Connection) -> None:
    """Accept whatever comes."""
    while connection.read_request():
        body = b'{"id": 1}'
        connection.send(head(200, [f"Content-Length: {len(body)}", "Content-Type: application/json"]) + body)


@pytest.fixture
def here() -> Iterator[Server]:
    with Server(answer) as server:
        yield server


@pytest.fixture
def there() -> Iterator[Server]:
    with Server(answer) as server:
        yield server


class Desk:
    """A repository with a provider and two connections that use it, and what came of commands."""

    def __init__(self, folder: Path, here: Server, there: Server, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.here, self.there, self._capture = folder, here, there, capture
        self.elsewhere = f"127.0.0.1:{there.port}"
        self.provider: Node = {
            "title": "Acme Desk",
            "environments": {
                "staging": {"class": "test", "host": f"127.0.0.1:{here.port}"},
                "production": {"host": f"127.0.0.1:{here.port}"},
            },
            "root": "http://{host}/v1",
            "auth": {
                "token": {
                    "use": "a service account",
                    "secrets": {"token": {}},
                    "headers": {"Authorization": "Token {token}"},
                },
                "login": {
                    "use": "a person",
                    "secrets": {"client_secret": {}},
                    "flow": "authorization_code",
                    "authorize_url": "{origin}/authorize",
                    "token_url": "{origin}/token",
                },
            },
            "check": {"method": "GET", "path": "/me"},
            "answers": [{"status": [200], "means": "ready", "body": {"type": "object", "required": ["id"]}}],
            "sources": [{"url": "https://docs.acme.example", "read": "2026-11-29"}],
        }
        oauth = {"method": "login", "client_id": "app", "redirect_uri": "http://127.0.0.1:8400/", "client_secret": "env://DESK_APP"}  # fmt: skip
        self.connections: Node = {
            "shop": {"environment": "production", "auth": {"method": "token", "token": "env://DESK_KEY"}},
            "crew": {"environment": "production", "auth": oauth},
        }
        self.write()

    def write(self) -> None:
        named = {name: {"provider": "acme/desk", **one} for name, one in self.connections.items()}
        manifest = {"version": 1, "providers": {"acme/desk": self.provider}, "connections": named}
        (self.folder / "connections.yaml").write_text(json.dumps(manifest, indent=1))

    def run(self, *argv: str) -> tuple[int, str]:
        code = main(list(argv))
        said = self._capture.readouterr()
        return code, " ".join((said.out + said.err).split())

    def git(self, *argv: str) -> None:
        own = ["-c", "user.name=a", "-c", "user.email=a@acme.example"]
        subprocess.run(["git", *own, *argv], cwd=self.folder, check=True, capture_output=True, timeout=30)


@pytest.fixture
def desk(
    tmp_path: Path,
    here: Server,
    there: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DESK_KEY", API_KEY)
    made = Desk(tmp_path, here, there, capsys)
    made.git("init", "-q")
    made.git("add", ".")
    made.git("commit", "-qm", "one")
    made.run("apply", "--yes")
    return made


def host(desk: Desk) -> None:
    desk.provider["environments"]["production"]["host"] = desk.elsewhere


def header(desk: Desk) -> None:
    desk.provider["auth"]["token"]["headers"] = {"X-Trace": "{token}"}


def another_header_too(desk: Desk) -> None:
    desk.provider["auth"]["token"]["headers"] = {"A-Trace": "{token}", "Authorization": "Token {token}"}


def own_root(desk: Desk) -> None:
    desk.provider["environments"]["production"]["own_root"] = "besides"


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        (host, "base_url http://", "shop is in production and would send env://DESK_KEY to http://127.0.0.1:"),
        (header, "provider.auth.token.headers.X-Trace", "(header X-Trace)"),
        (another_header_too, "provider.auth.token.headers.A-Trace", "(header A-Trace, header Authorization)"),
        (own_root, "provider.environments.production.own_root", "would let connections name the API root: besides"),
    ],
    ids=["host", "header", "another-header", "own_root"],
)
def test_a_changed_provider_is_planned_and_refused_for_production(
    desk: Desk, change: Callable[[Desk], None], pointer: str, said: str
) -> None:
    change(desk)
    desk.write()
    code, text = desk.run("list", "--changed-since", "HEAD", "--format", "json")
    assert (code, sorted(one["name"] for one in json.loads(text)["connections"])) == (0, ["crew", "shop"])
    code, text = desk.run("plan", "--detailed-exitcode")
    assert code == CHANGES
    assert pointer in text
    asked = len(desk.there.requests)
    code, text = desk.run("apply", "--yes")
    assert (code, len(desk.there.requests)) == (REFUSED, asked), text
    assert said in text


def test_a_changed_token_endpoint_is_another_destination_of_the_apps_secret(desk: Desk) -> None:
    def destinations() -> dict[str, str]:
        crew = load_manifest()["crew"]
        spec, _ = specify(crew, {}, str)
        found = sends(spec)
        return {send.to.use: send.to.url for send in found if send.secret == "env://DESK_APP"}

    assert destinations() == {"token_url": f"http://127.0.0.1:{desk.here.port}"}
    desk.provider["auth"]["login"]["token_url"] = f"http://{desk.elsewhere}/token"
    desk.write()
    assert destinations() == {"token_url": f"http://{desk.elsewhere}"}


def test_what_judges_answers_is_planned_and_applied(desk: Desk) -> None:
    desk.provider["answers"].append({"status": [404], "means": "auth_rejected"})
    desk.write()
    code, text = desk.run("plan", "--detailed-exitcode")
    assert code == CHANGES
    assert "provider.judging" in text
    code, text = desk.run("apply", "--yes", "-c", "shop")
    assert code == 0, text


def test_words_for_people_and_another_environment_change_nothing(desk: Desk) -> None:
    before = deepcopy(desk.provider)
    desk.provider["auth"]["token"]["use"] = "another sentence"
    desk.provider["environments"]["staging"]["host"] = desk.elsewhere
    desk.provider["sources"][0]["says"] = "everything"
    desk.provider["title"] = "Desk of Acme"
    desk.provider["check"]["description"] = "the account"
    assert desk.provider != before
    desk.write()
    code, text = desk.run("plan", "--detailed-exitcode", "-c", "shop")
    assert code == 0, text


def test_a_removed_connection_is_known_by_its_record_when_its_provider_is_gone(desk: Desk) -> None:
    other = {"provider": "http", "base_url": "https://a.example", "check": {"path": "/", "expect": {"text": "pong"}}}
    auth = {"method": "bearer", "token": "env://DESK_KEY"}
    manifest = {"version": 1, "connections": {"other": {**other, "auth": auth}}}
    (desk.folder / "connections.yaml").write_text(json.dumps(manifest))
    code, text = desk.run("plan", "--detailed-exitcode")
    assert code == CHANGES
    assert "other would send env://DESK_KEY, a secret of production (shop), to https://a.example" in text
