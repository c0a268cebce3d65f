"""What the tests of the proxy share: an authority, the API behind TLS, a folder with its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Issuer
from tests.http.servers import Server
from tests.proxy.running import Proxy, declare, running_proxy
from tests.proxy.upstream import Upstream

ALLOWED = ("GET /packages/*", "POST /packages/list", "GET /files/**")


@pytest.fixture(scope="session")
def authority() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def ca_file(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_bytes(authority.pem)
    return file


class Setting:
    """A folder with the manifest of one connection, and the API that it leads to."""

    def __init__(self, folder: Path, upstream: Upstream, port: int, ca_file: Path) -> None:
        self.folder = folder
        self.upstream = upstream
        self.port = port
        self.ca_file = ca_file

    def declare(self, **more: object) -> None:
        """Write the manifest, with more in the connection."""
        declare(self.folder, self.port, self.ca_file, **more)


@pytest.fixture(scope="session")
def setting(authority: Issuer, ca_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    upstream = Upstream()
    with Server(upstream, tls=authority.loopback()) as server:
        found = Setting(tmp_path_factory.mktemp("proxy"), upstream, server.port, ca_file)
        found.declare()
        yield found


@pytest.fixture(autouse=True)
def forgotten(request: pytest.FixtureRequest) -> None:
    """Let each test see its own requests alone."""
    if "setting" in request.fixturenames:
        request.getfixturevalue("setting").upstream.seen.clear()


@pytest.fixture(scope="session")
def proxy(setting: Setting) -> Iterator[Proxy]:
    """A proxy that permits everything below the root."""
    with running_proxy(setting.folder) as running:
        yield running


@pytest.fixture(scope="session")
def narrow(setting: Setting) -> Iterator[Proxy]:
    """A proxy that permits three patterns."""
    options = [option for pattern in ALLOWED for option in ("--allow", pattern)]
    with running_proxy(setting.folder, *options) as running:
        yield running
