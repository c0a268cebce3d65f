"""What the tests of grants share: an authority, an OAuth server that was not written here, a folder with a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.canary import AWKWARD
from tests.end_to_end.conftest import Issuer
from tests.http.servers import Server
from tests.oauth.provider import Provider, running_provider
from tests.oauth.setting import RENEWS, Setting
from tests.ports import free_ports

SECRET = f":{AWKWARD}"
"""A client secret with everything that form-encoding is about, and a canary."""


@pytest.fixture(scope="session")
def authority() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def ca_file(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_bytes(authority.pem)
    return file


@pytest.fixture(scope="session")
def certificate(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key: the person's own, to listen with."""
    file = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    file.write_bytes(authority.pem_for("localhost"))
    file.chmod(0o600)
    return file


@pytest.fixture
def setting(authority: Issuer) -> Iterator[Setting]:
    with Server(RENEWS, tls=authority.server(), ca_pem=authority.pem) as server:
        yield Setting(server)


@pytest.fixture(scope="session")
def start_provider(
    authority: Issuer, ca_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[int], Provider]]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(lifetime_s: int) -> Provider:
            port, loopback_port = free_ports(2)
            return stack.enter_context(
                running_provider(
                    tmp_path_factory.mktemp("provider"),
                    authority.pem_for("localhost"),
                    ca_file,
                    redirect_uri=f"https://localhost:{port}/auth/callback",
                    loopback_port=loopback_port,
                    client_secret=SECRET,
                    lifetime_s=lifetime_s,
                )
            )

        yield start


@pytest.fixture(scope="session")
def provider(start_provider: Callable[[int], Provider]) -> Provider:
    """One whose access tokens live for two seconds."""
    return start_provider(2)


@pytest.fixture(scope="session")
def lasting_provider(start_provider: Callable[[int], Provider]) -> Provider:
    """One whose access tokens outlive every test."""
    return start_provider(3600)
