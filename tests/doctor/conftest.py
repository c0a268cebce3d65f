"""A folder in which everything is there for two connections, one with a grant; each test takes something away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_grants
from tests.canary import API_KEY, AWKWARD
from tests.conftest import Plant
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run, run_here
from tests.http.servers import Behaviour, Connection, Server, head

MANIFEST = """\
version: 1
stores:
  team: {{type: dotenv, path: .env}}
defaults:
  tls: {{ca_file: ca.pem}}
connections:
  crm:
    provider: http
    base_url: https://localhost:{port}/api
    check: {{path: /me, expect: {{body: {{required: [id]}}}}}}
    auth: {{method: api_key, api_key: "team://CRM_KEY"}}
  customer:
    environment: private
    base_url: https://localhost:{port}/sign
    auth:
      method: oauth2
      client_id: acme-portal
      client_secret: env://PORTAL_SECRET
      redirect_uri: https://localhost/auth
"""
FIELDS = ("section", "name", "status", "message", "hint")


@dataclass
class Clock:
    """A server that tells the time, which may be another than that of this machine."""

    ahead: timedelta = timedelta()

    def __call__(self, connection: Connection) -> None:
        while connection.read_request():
            told = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
            connection.send(head(404, [f"Date: {told}", "Content-Length: 0"]))


@dataclass
class Machine:
    """The folder, the server and the environment of a run."""

    folder: Path
    plant: Plant
    server: Server
    issuer: Issuer
    clock: Clock
    environment: dict[str, str] = field(
        default_factory=lambda: {"PORTAL_SECRET": AWKWARD, "HTTPS_PROXY": f"http://me:{API_KEY}@proxy.example:3128"}
    )
    flags: list[str] = field(default_factory=list)

    @property
    def manifest(self) -> Path:
        return self.folder / "connections.yaml"

    def edit(self, old: str, new: str) -> None:
        """Replace a text of the manifest, which must be there."""
        text = self.manifest.read_text()
        assert old in text
        self.manifest.write_text(text.replace(old, new))

    def keep(self, **facts: Any) -> None:
        """Keep a grant of the connection `customer`."""
        store = open_grants("", self.folder / ".connform", None)
        keep(store, grant(**({"token_url": f"https://localhost:{self.server.port}/connect/token"} | facts)))
        store.close()

    def run(self, *flags: str) -> Run:
        """Run `connform doctor`."""
        return run_here("doctor", *self.flags, *flags, cwd=self.folder, env=self.environment)

    def findings(self, run: Run) -> list[dict[str, str]]:
        """Return what a run with `--format json` found."""
        found: list[dict[str, str]] = run.report["findings"]
        assert all(tuple(one) == FIELDS for one in found)
        return found


Serve = Callable[[Behaviour], Server]


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def serve(issuer: Issuer) -> Iterator[Serve]:
    """Starts servers with a certificate of the issuer."""
    running: list[Server] = []

    def start(behaviour: Behaviour) -> Server:
        running.append(Server(behaviour, tls=issuer.loopback()).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def machine(tmp_path: Path, plant: Plant, issuer: Issuer, serve: Serve) -> Machine:
    clock = Clock()
    whole = Machine(tmp_path, plant, serve(clock), issuer, clock)
    (tmp_path / "ca.pem").write_bytes(issuer.pem)
    whole.manifest.write_text(MANIFEST.format(port=whole.server.port))
    os.chmod(plant(".env", f"CRM_KEY='{API_KEY}'\n"), 0o600)
    whole.keep()
    return whole
