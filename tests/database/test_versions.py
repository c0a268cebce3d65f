"""A database of every earlier schema version opens in this one, as it was written then: `versions/` has one each.

They were written by the release of their time, with the key below, and are never made anew.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from connform.database import open_grants, open_state
from connform.database.postgres import _MIGRATIONS as STEPS
from connform.database.sqlite import _MIGRATIONS, FILE
from connform.errors import ConnectionFailed
from connform.secret import Secret
from tests.database.conftest import NOW, begin_refresh, tokens

KEY = Secret("Zmlyc3QtdmVyc2lvbi1rZXktb2YtY29ubmZvcm0tMDE=")
VERSIONS = sorted((Path(__file__).parent / "versions").glob("*.sqlite3"))


@pytest.fixture(params=VERSIONS, ids=lambda path: path.stem)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / ".connform"
    folder.mkdir(mode=0o700)
    shutil.copy(request.param, folder / FILE)
    (folder / FILE).chmod(0o600)
    return folder


def test_every_earlier_version_is_kept() -> None:
    assert [path.stem for path in VERSIONS] == [str(version) for version in range(1, len(_MIGRATIONS))]


def test_its_grants_are_there_and_its_state_can_be_written(folder: Path) -> None:
    store = open_grants("", folder, lambda: KEY)
    assert tokens(store.read("customer")) == ("synthetic-access-token", "synthetic-refresh-token")
    assert (next(store.facts()).obtained_at, next(store.facts()).granted_at) == (NOW, None)
    store.close()
    states = open_state("", folder)
    assert states.read() == {}
    with states.lock_parts(["00"], 5) as changes:
        changes.write((), ["nobody"])
    states.close()


@pytest.mark.parametrize("folder", VERSIONS[:1], indirect=True)
def test_where_a_grant_is_revoked_counts_only_where_it_was_sealed(folder: Path) -> None:
    """The first version sealed the tokens without it: whoever could write to the store could change it."""
    store = open_grants("", folder, lambda: KEY)
    assert next(store.facts()).revoke_url.startswith("https://")
    with store.lock("customer", 5) as locked:
        first = locked.read()
        assert first is not None
        assert first.facts.revoke_url == ""
        locked.write(first._replace(facts=first.facts._replace(revoke_url="https://login.acme.example/end")))
        again = locked.read()
    store.close()
    assert again is not None
    assert again.facts.revoke_url == "https://login.acme.example/end"
    assert tokens(again) == tokens(first)


@pytest.mark.parametrize("folder", VERSIONS[:2], indirect=True)
def test_its_grants_are_sealed_as_a_whole_by_the_next_write(folder: Path) -> None:
    """Until then their facts are believed as they stand: nothing was bound to them."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE connform_grants SET scopes = 'admin'")
    store = open_grants("", folder, lambda: KEY)
    with store.lock("customer", 5) as locked:
        first = locked.read()
        assert first is not None
        assert first.facts.scopes == ("admin",)
        begin_refresh(locked)
        assert tokens(locked.read()) == tokens(first)
    store.close()
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE connform_grants SET scopes = 'profile'")
    store = open_grants("", folder, lambda: KEY)
    with pytest.raises(ConnectionFailed, match="changed since it was written"):
        store.read("customer")
    store.close()


def test_a_newer_version_is_refused(folder: Path) -> None:
    connection = sqlite3.connect(folder / FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConnectionFailed, match="newer connform") as refused:
        open_state("", folder).read()
    assert refused.value.fault.name == "store_corrupt"
    assert refused.value.hint == "update connform"


def test_an_older_version_that_can_t_be_brought_forward_says_so(folder: Path) -> None:
    (folder / FILE).chmod(0o400)
    if (folder / FILE).stat().st_uid == 0:
        pytest.skip("root writes whatever it wants")
    with pytest.raises(ConnectionFailed, match="older schema"):
        open_state("", folder).read()


DUMPS = sorted((Path(__file__).parent / "versions").glob("*.postgresql.sql"))


def test_every_earlier_version_of_postgresql_is_kept() -> None:
    assert [path.name.partition(".")[0] for path in DUMPS] == [str(version) for version in range(1, len(STEPS))]


@pytest.fixture(params=DUMPS, ids=lambda path: path.name.partition(".")[0])
def restored(request: pytest.FixtureRequest, database: str) -> str:
    """The URL of a database into which a dump of its time was read."""
    with psycopg.connect(database, autocommit=True) as server:
        server.execute(request.param.read_bytes())
    return database


@pytest.mark.parametrize("first", ["read", "held"])
def test_postgresql_brings_an_older_version_forward_when_it_is_used(restored: str, first: str) -> None:
    states = open_state(restored, Path("unused"))
    if first == "read":
        assert states.read() == {}
    with states.lock_parts(["00"], 5) as changes:
        changes.write((), ["nobody"])
    states.close()
    store = open_grants(restored, Path("unused"), lambda: KEY)
    assert tokens(store.read("customer")) == ("synthetic-access-token", "synthetic-refresh-token")
    assert next(store.facts()).obtained_at == NOW
    store.close()
    with psycopg.connect(restored) as server:
        assert server.execute("SELECT value FROM connform_meta WHERE name = 'version'").fetchall() == [
            (str(len(STEPS)).encode(),)
        ]
