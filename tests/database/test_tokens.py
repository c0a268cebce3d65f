"""What each kind of database promises of issued tokens."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connform.database import open_grants, open_state
from connform.database.cipher import new_key
from connform.database.sqlite import _MIGRATIONS, FILE
from connform.database.token_rows import COLUMNS
from connform.database.token_table import TokenTable
from connform.errors import ConnectionFailed
from connform.issued_token import IssuedToken, TokenFacts
from connform.secret import Secret
from tests.canary import API_KEY
from tests.database.conftest import NOW, Kind, grant, keep

_VERSIONS = Path(__file__).parent / "versions"
_CHANGES = {
    "connection": "other",
    "binding": '{"token_url":"https://evil.example/token"}',
    "obtained_at": (NOW + timedelta(days=1)).timestamp(),
    "expires_at": None,
    "scopes": "admin",
    "sealed": b"too short",
}


def token(connection: str = "shop", value: str = API_KEY, **facts: Any) -> IssuedToken:
    known = TokenFacts(NOW, NOW + timedelta(hours=1), ("orders", "invoices"))
    return IssuedToken(
        connection,
        '{"token_url":"https://login.acme.example/token"}',
        Secret(value),
        known._replace(**facts),
        Secret("a digest"),
    )


def plain(stored: IssuedToken | None) -> Any:
    return stored and stored._replace(
        access_token=stored.access_token.reveal(),  # type: ignore[arg-type]
        obtained_with=stored.obtained_with.reveal(),  # type: ignore[arg-type]
    )


@pytest.fixture
def tables(kind: Kind) -> Any:
    """Opens the table anew: each call is another process's view."""
    opened: list[TokenTable] = []

    def open_another(key: str = "") -> TokenTable:
        secret = Secret(key or kind.key)
        opened.append(open_grants(kind.url, kind.folder, lambda: secret).tokens)
        return opened[-1]

    yield open_another
    for table in opened:
        table.close()


Tables = Callable[..., TokenTable]


def sql(table: TokenTable, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Do what whoever can write to the database could do, without the key."""
    with table._database.writing() as execute:
        return execute(statement, values)


def test_reading_and_deleting_make_nothing(tables: Tables, kind: Kind) -> None:
    assert tables().read("shop") is None
    assert tables().delete("shop") is False
    assert not kind.folder.exists()


@pytest.mark.parametrize("facts", [{}, {"expires_at": None}, {"scopes": ()}], ids=["all", "no end", "no scopes"])
def test_a_token_is_read_as_it_was_written(tables: Tables, facts: dict[str, Any]) -> None:
    tables().write(token(value="earlier"))
    tables().write(token("other"))
    tables().write(token(**facts))
    assert plain(tables().read("shop")) == plain(token(**facts))
    assert tables().delete("shop") is True
    assert tables().read("shop") is None
    assert plain(tables().read("other")) == plain(token("other"))


def test_every_column_is_looked_at() -> None:
    assert set(_CHANGES) == set(COLUMNS)


@pytest.mark.parametrize("column", _CHANGES)
def test_a_token_that_was_changed_counts_as_none(tables: Tables, column: str) -> None:
    tables().write(token())
    sql(tables(), f"UPDATE connform_tokens SET {column} = ?", _CHANGES[column])
    if column == "connection":
        sql(tables(), "UPDATE connform_stamps SET connection = '+token.other'")
    assert tables().read("other" if column == "connection" else "shop") is None


@pytest.mark.parametrize("is_deleted", [True, False], ids=["after it was deleted", "in place of a later one"])
def test_an_earlier_token_that_was_put_back_counts_as_none(tables: Tables, *, is_deleted: bool) -> None:
    table = tables()
    table.write(token())
    (row,) = sql(table, f"SELECT {', '.join(COLUMNS)} FROM connform_tokens")
    table.delete("shop") if is_deleted else table.write(token())
    sql(table, "DELETE FROM connform_tokens")
    sql(table, f"INSERT INTO connform_tokens ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})", *row)
    assert table.read("shop") is None
    table.write(token(value="next"))
    assert plain(table.read("shop")) == plain(token(value="next"))


def test_another_key_neither_reads_nor_replaces_it_while_there_are_grants(tables: Tables, kind: Kind) -> None:
    grants = kind.open()
    keep(grants, grant())
    grants.close()
    tables().write(token())
    uses: list[Callable[[TokenTable], object]] = [lambda table: table.read("shop"), lambda table: table.write(token())]
    for use in uses:
        with pytest.raises(ConnectionFailed) as caught:
            use(tables(new_key()))
        assert caught.value.fault.name == "store_key_wrong"
    assert tables(new_key()).delete("shop") is True


def test_a_new_key_is_taken_where_there_are_no_grants(tables: Tables) -> None:
    """As a login takes it: tokens of the old one can be obtained again."""
    tables().write(token())
    key = new_key()
    tables(key).write(token(value="next"))
    assert plain(tables(key).read("shop")) == plain(token(value="next"))


def test_a_removed_connection_takes_its_token_along_and_no_other(tables: Tables, kind: Kind) -> None:
    for name in ("shop", "other"):
        tables().write(token(name))
    with closing(open_state(kind.url, kind.folder)) as states, states.lock_parts(["00"], 5) as changes:
        changes.write((), ["shop"])
    assert (tables().read("shop"), tables().read("other") is None) == (None, False)


@pytest.fixture
def former_folder(tmp_path: Path) -> Path:
    """A database of the version before tokens."""
    folder = tmp_path / ".connform"
    folder.mkdir(mode=0o700)
    shutil.copy(_VERSIONS / "3.sqlite3", folder / FILE)
    (folder / FILE).chmod(0o600)
    return folder


def test_reading_leaves_a_database_of_the_former_version_as_it_is(former_folder: Path) -> None:
    before = hashlib.sha256((former_folder / FILE).read_bytes()).digest()
    grants = open_grants("", former_folder, lambda: Secret(new_key()))
    assert [facts.connection for facts in grants.facts()] == ["customer"]
    assert (grants.tokens.read("shop"), grants.tokens.delete("shop")) == (None, False)
    grants.close()
    with closing(open_state("", former_folder)) as states:
        assert (states.read(), states.summaries(), list(states.grants())) == ({}, {}, ["customer"])
    assert hashlib.sha256((former_folder / FILE).read_bytes()).digest() == before


def test_writing_brings_it_forward_for_those_who_have_it_open(former_folder: Path) -> None:
    reader = open_state("", former_folder)
    assert reader.read() == {}
    with closing(open_state("", former_folder)) as states, states.lock_parts(["00"], 5) as changes:
        changes.write((), ["nobody"])
    with closing(sqlite3.connect(former_folder / FILE)) as file:
        assert file.execute("PRAGMA user_version").fetchall() == [(len(_MIGRATIONS),)]
    assert list(reader.grants()) == ["customer"]
    reader.close()


def test_reading_leaves_a_server_of_the_former_version_as_it_is(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as server:
        server.execute((_VERSIONS / "3.postgresql.sql").read_bytes())
        reading = open_grants(database, Path("unused"), lambda: Secret(new_key()))
        assert [facts.connection for facts in reading.facts()] == ["customer"]
        assert (reading.tokens.read("shop"), reading.tokens.delete("shop")) == (None, False)
        with closing(open_state(database, Path("unused"))) as states:
            assert states.read() == {}
        version = "SELECT value FROM connform_meta WHERE name = 'version'"
        assert server.execute(version).fetchall() == [(b"3",)]
        with closing(open_state(database, Path("unused"))) as states, states.lock_parts(["00"], 5) as changes:
            changes.write((), ["nobody"])
        assert server.execute(version).fetchall() == [(str(len(_MIGRATIONS)).encode(),)]
        assert reading.tokens.read("shop") is None
        reading.close()
