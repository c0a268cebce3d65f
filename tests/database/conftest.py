"""What the tests of the stores share: each kind of store, fresh, and a grant to keep in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.grant import Grant, GrantFacts, GrantStore, LockedGrant
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.database.postgres import Postgres

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URL of a fresh database."""
    return postgres.fresh()


@dataclass(frozen=True)
class Kind:
    """How one kind of store is opened: each call is another process's view of the same."""

    url: str
    folder: Path
    key: str

    def open(self, key: str = "") -> GrantStore:
        secret = Secret(key or self.key)
        return open_grants(self.url, self.folder, lambda: secret)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    url = request.getfixturevalue("database") if request.param == "postgresql" else ""
    return Kind(url, tmp_path / ".connform", new_key())


@pytest.fixture
def opened(kind: Kind) -> Iterator[Callable[..., GrantStore]]:
    stores: list[GrantStore] = []

    def open_another(key: str = "") -> GrantStore:
        stores.append(kind.open(key))
        return stores[-1]

    yield open_another
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[..., GrantStore]) -> GrantStore:
    return opened()


def grant(connection: str = "customer", **facts: Any) -> Grant:
    known = GrantFacts(
        connection=connection,
        token_url="https://login.acme.example/connect/token",
        client_id="acme-portal",
        scopes=("profile", "offline_access"),
        obtained_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        is_renewable=True,
        revoke_url="https://login.acme.example/connect/revocation",
        granted_at=NOW,
    )
    return Grant(known._replace(**facts), Secret(API_KEY), Secret(AWKWARD))


def keep(store: GrantStore, *grants: Grant) -> None:
    for one in grants:
        with store.lock(one.facts.connection, 5) as locked:
            locked.write(one)


def begin_refresh(locked: LockedGrant) -> bool:
    """Begin a refresh of what is stored."""
    kept = locked.read()
    assert kept is not None
    return locked.begin_refresh(kept)


def tokens(kept: Grant | None) -> tuple[str, str]:
    assert kept is not None
    assert kept.refresh_token is not None
    return kept.access_token.reveal(), kept.refresh_token.reveal()


def fill(disk: Path) -> None:
    """Leave no room in a small file system, by its own account."""
    with (disk / "filler").open("wb", buffering=0) as file:
        while os.statvfs(disk).f_bfree:
            with suppress(OSError):
                file.write(bytes(4096))
