"""What the tests of issued tokens share: a service that counts its calls, and each kind of state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connform.database.cipher import new_key
from tests.database.postgres import Postgres
from tests.tokens.service import Service, running_service
from tests.tokens.setting import Shop


@pytest.fixture
def service() -> Iterator[Service]:
    """One whose tokens outlive every test."""
    with running_service() as running:
        yield running


@pytest.fixture
def short_service() -> Iterator[Service]:
    """One whose tokens live for two seconds."""
    with running_service(2) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh state."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path / 'state'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.fresh()


@pytest.fixture
def shop(tmp_path: Path, service: Service, url: str) -> Shop:
    """A folder whose state is at a URL."""
    return Shop(tmp_path / "shop", service, url, new_key())


@pytest.fixture
def plain_shop(tmp_path: Path, service: Service) -> Shop:
    """A folder whose state would lie beside the manifest."""
    return Shop(tmp_path / "plain", service)
