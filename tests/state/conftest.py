"""What the tests of recorded state share: real servers behind TLS, and a repository whose manifest can be edited."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.canary import API_KEY
from tests.database.postgres import Postgres
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import KEY_VARIABLE, Run, run_here, start
from tests.http.servers import Connection, Server, head

ENVIRONMENT = {KEY_VARIABLE: API_KEY}


@pytest.fixture(scope="session")
def authority() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def ca_file(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_bytes(authority.pem)
    return file


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URL of a fresh database."""
    return postgres.fresh("states")


@dataclass
class Api:
    """A server that answers for every connection; the path of a request says for which."""

    pause_s: float = 0.0
    port: int = 0
    server: Server | None = None
    status: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """The connections that get no answer."""
    echoes: bool = False
    """Whether it answers with what it was sent, the key included, in its fields and its body."""

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            if _name(request) in self.silent:
                connection.pause()
                return
            if self.pause_s and not connection.pause(self.pause_s):
                return
            body = json.dumps({"items": [], "error": request.decode("latin-1")}).encode() if self.echoes else PACKAGES
            fields = [f"Content-Length: {len(body)}", "Content-Type: application/json"]
            if self.echoes:
                fields += [f"X-Sent: {line.decode('latin-1')}" for line in request.splitlines()[1:] if line]
            connection.send(head(self.status.get(_name(request), 200), fields) + body)

    @property
    def asked(self) -> Counter[str]:
        """How often each connection was checked."""
        assert self.server is not None
        return Counter(map(_name, list(self.server.requests)))

    def forget(self) -> None:
        """Begin to count anew."""
        assert self.server is not None
        self.server.requests.clear()


def _name(request: bytes) -> str:
    return request.split(b"/", 2)[1].split()[0].decode()


@pytest.fixture
def api(authority: Issuer) -> Iterator[Api]:
    api = Api()
    with Server(api, tls=authority.loopback()) as server:
        api.port, api.server = server.port, server
        yield api


@dataclass
class Repository:
    """A folder with a manifest, as a team has it."""

    folder: Path
    api: Api
    ca_file: Path
    state: str = ""
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def declare(self, *names: str, **values: Any) -> None:
        """Declare connections, each with a base URL of its own, and write the manifest."""
        for name in names:
            self.connections[name] = {
                "provider": "http",
                "base_url": f"https://localhost:{self.api.port}/{name}",
                "check": {"path": "/me", "expect": {"body": {"required": ["items"]}}},
                "auth": {"method": "api_key", "api_key": f"env://{KEY_VARIABLE}"},
                "tls": {"ca_file": str(self.ca_file)},
                **values,
            }
        self.write()

    def remove(self, *names: str) -> None:
        for name in names:
            del self.connections[name]
        self.write()

    def write(self) -> None:
        content = {"version": 1, "connections": self.connections}
        (self.folder / "connections.yaml").write_text(json.dumps(content, indent=1))

    @property
    def environment(self) -> dict[str, str]:
        return ENVIRONMENT | ({"CONNFORM_STATE": self.state, "CONNFORM_ROOT": str(self.folder)} if self.state else {})

    def run(self, *argv: str | Path) -> Run:
        """Run a command in this process."""
        return run_here(*argv, cwd=self.folder, env=self.environment)

    def start(self, *argv: str | Path) -> subprocess.Popen[str]:
        """Begin a command that runs by itself."""
        return start(*argv, cwd=self.folder, env=self.environment)

    def recorded(self, *argv: str) -> dict[str, dict[str, Any]]:
        """What the state says, by name."""
        exported = self.run("state", "export", *argv)
        assert exported.code == 0, exported.err
        return {name: one["recorded"] for name, one in exported.connections.items()}


@pytest.fixture
def sqlite_repository(tmp_path: Path, api: Api, ca_file: Path) -> Repository:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder, api, ca_file)


@pytest.fixture(params=["sqlite", "postgresql"])
def repository(request: pytest.FixtureRequest, sqlite_repository: Repository) -> Repository:
    if request.param == "postgresql":
        sqlite_repository.state = request.getfixturevalue("database")
    return sqlite_repository
