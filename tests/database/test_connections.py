"""When the connection that a database has in this process is closed."""

from __future__ import annotations

import gc
from time import sleep

import psycopg
import pytest

from connform.database.own_connection import OwnConnection
from connform.database.postgres import PostgresDatabase
from connform.errors import ConnectionFailed
from tests.database.postgres import Postgres
from tests.forking import forked, unmeasured

_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'connform %' AND datname = current_database()"
)


class Connection:
    """Tells what happens to it; complains like those of psycopg when the collector finds it open."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self._is_open = True

    def close(self) -> None:
        self._log.append("closed")
        self._is_open = False

    def __del__(self) -> None:
        if self._is_open:
            self._log.append("deleted while open")


class Database:
    """One that keeps such a connection."""

    def __init__(self, connection: Connection) -> None:
        self.own: OwnConnection[Connection] = OwnConnection(self)
        self.own.set(connection)


def test_what_the_collector_finds_with_its_database_is_closed_whichever_it_comes_to_first() -> None:
    log: list[str] = []
    found: list[object] = [connection := Connection(log)]
    found += [Database(connection), found]
    del connection, found
    gc.collect()
    assert log == ["closed"]


def test_a_new_connection_closes_the_one_before_it() -> None:
    log: list[str] = []
    database = Database(Connection(log))
    database.own.set(Connection(log))
    assert log == ["closed"]
    database.own.close()
    assert log == ["closed", "closed"]


def test_a_child_neither_uses_nor_closes_what_its_parent_opened() -> None:
    log: list[str] = []
    database = Database(Connection(log))

    def in_the_child() -> tuple[bool, list[str]]:
        inherited = database.own.get()
        database.own.close()
        return inherited is None, log

    with unmeasured(), forked(in_the_child) as child:
        assert child.result() == (True, [])
    database.own.close()
    assert log == ["closed"]


@pytest.mark.timeout(10)
def test_a_session_that_can_not_be_set_up_is_closed(postgres: Postgres) -> None:
    url = postgres.fresh()
    database = PostgresDatabase(url + "?options=-csearch_path%3Dmissing")
    with pytest.raises(ConnectionFailed, match="no schema of the search path") as raised, database.reading():
        pass
    with psycopg.connect(url) as session:
        while session.execute(_SESSIONS).fetchone() != (
            0,
        ):  # the server takes some milliseconds to see that one has ended
            sleep(0.01)
    assert raised.traceback  # which still holds the frame of what opened the session
