"""A store on a server: it goes away, it refuses, its password stays unsaid."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread, Timer
from typing import LiteralString

import psycopg
import pytest

from connform.database import open_grants, open_state
from connform.database.cipher import new_key
from connform.errors import ConnectionFailed
from connform.grant import GrantStore
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.database.conftest import begin_refresh, grant, keep, tokens
from tests.database.postgres import PASSWORD, Postgres

HERE = Path("unused")
"""The folder of a store that has none."""


@pytest.fixture
def on_server(database: str, tmp_path: Path) -> Iterator[GrantStore]:
    secret = Secret(new_key())
    store = open_grants(database, tmp_path, lambda: secret)
    keep(store, grant())
    yield store
    store.close()


def test_a_server_that_goes_away_is_said_and_comes_back(on_server: GrantStore, postgres: Postgres) -> None:
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(ConnectionFailed) as caught:
                on_server.read("customer")
            assert caught.value.fault.name == "store_unavailable"
            assert PASSWORD not in caught.value.message
        with pytest.raises(ConnectionFailed) as caught, on_server.lock("customer", 1):
            pass
        assert caught.value.fault.name == "store_unavailable"
    finally:
        postgres.start()
    assert tokens(on_server.read("customer")) == (API_KEY, AWKWARD)
    keep(on_server, grant("another"))


def test_facts_need_no_key_and_tokens_one_that_is_named(on_server: GrantStore, database: str, tmp_path: Path) -> None:
    without = open_grants(database, tmp_path, None)
    assert [facts.connection for facts in without.facts()] == ["customer"]
    with pytest.raises(ConnectionFailed) as caught:
        without.read("customer")
    assert caught.value.fault.name == "store_key_wrong"
    assert "--state-key" in caught.value.hint
    without.close()


def test_a_wrong_password_is_said_without_any(postgres: Postgres, database: str, tmp_path: Path) -> None:
    url = database.replace(PASSWORD, "hunter2hunter2")
    secret = Secret(new_key())
    with pytest.raises(ConnectionFailed) as caught:
        open_grants(url, tmp_path, lambda: secret).read("customer")
    assert caught.value.fault.name == "store_unavailable"
    assert "password authentication failed" in caught.value.message
    assert "refuses the login" in caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("url", ["postgresql://user:hunter2@host:port/x", "postgresql://host/?hunter2=1"])
def test_a_url_that_is_none_is_refused_and_never_echoed(tmp_path: Path, url: str) -> None:
    secret = Secret(new_key())
    with pytest.raises(ConnectionFailed) as caught:
        open_grants(url, tmp_path, lambda: secret).read("customer")
    assert caught.value.fault.name in {"config_invalid", "store_unavailable"}
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "password",
    ["hunter@2", "hunter2@", "@hunter2", "hunter/2", "12/hunter", "a@b/hunter2", "a/b:hunter2", "a@b:hunter2"],
)
@pytest.mark.parametrize("rest", ["127.0.0.1:{port}/grants", "127.0.0.1/grants", "127.0.0.1", "[::1]:{port}/grants"])
def test_a_password_that_is_not_encoded_is_refused_and_no_part_of_it_shown(
    postgres: Postgres, password: str, rest: str
) -> None:
    url = f"postgresql://user:{password}@{rest.format(port=postgres.port)}"
    with pytest.raises(ConnectionFailed) as caught:
        open_state(url, HERE).read()
    assert caught.value.fault.name == "config_invalid"
    shown = caught.value.message + caught.value.hint
    assert "hunter" not in shown
    assert "percent-encode the password" in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter%402@127.0.0.1:5432/db",
        "postgresql://user@[::1]:5432/db",
        "postgresql://user@one,two:5432/db",
        "postgresql:///db?host=/var/run/postgresql",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/db",
        "postgresql://",
    ],
)
def test_what_is_right_is_not_taken_for_a_password(url: str) -> None:
    assert "hunter" not in open_state(url, HERE).place


def test_a_user_who_may_only_read_spends_no_token(on_server: GrantStore, database: str, postgres: Postgres) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("ALTER DATABASE grants SET default_transaction_read_only = on")
    on_server.close()
    assert tokens(on_server.read("customer")) == (API_KEY, AWKWARD)
    with pytest.raises(ConnectionFailed) as caught, on_server.lock("customer", 5) as locked:
        begin_refresh(locked)
    assert caught.value.fault.name == "store_unwritable"


def test_tables_of_a_newer_connform_are_left_alone(on_server: GrantStore, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("UPDATE connform_meta SET value = '99' WHERE name = 'version'")
    secret = Secret(new_key())
    with pytest.raises(ConnectionFailed) as caught:
        open_grants(database, tmp_path, lambda: secret).read("customer")
    assert caught.value.fault.name == "store_corrupt"
    assert "newer connform" in caught.value.message


# Schemas: a team each, on one server.


@pytest.fixture
def team(database: str, postgres: Postgres) -> Iterator[Callable[[str], str]]:
    """Return the URL of a user who is no superuser, with a search path."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE team LOGIN PASSWORD '{PASSWORD}'")
        admin.execute("CREATE SCHEMA a AUTHORIZATION team; CREATE SCHEMA b AUTHORIZATION team")
        yield lambda path: postgres.url("grants", user="team") + f"?options=-csearch_path%3D{path}"
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'team'")
        admin.execute("DROP OWNED BY team; DROP ROLE team")


def test_teams_in_schemas_of_their_own_do_not_wait_for_each_other(team: Callable[[str], str]) -> None:
    secret = Secret(new_key())
    one, other = open_state(team("a"), HERE), open_state(team("b"), HERE)
    with closing(one), closing(other), one.lock_parts(["00"], 5), other.lock_parts(["00"], 0.5):
        pass
    mine, theirs = open_grants(team("a"), HERE, lambda: secret), open_grants(team("b"), HERE, lambda: secret)
    with closing(mine), closing(theirs), mine.lock("customer", 5), theirs.lock("customer", 0.5):
        pass


def test_one_state_is_locked_whatever_else_is_in_the_search_path(team: Callable[[str], str]) -> None:
    with closing(open_state(team("a"), HERE)) as one, closing(open_state(team("b,a"), HERE)) as other:
        with one.lock_parts(["00"], 5) as changes:
            changes.write((), ["nobody"])
        with (
            one.lock_parts(["00"], 5),
            pytest.raises(ConnectionFailed, match="has held it"),
            other.lock_parts(["00"], 0.5),
        ):
            pass


def test_a_schema_that_is_not_there_is_said(team: Callable[[str], str]) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        open_state(team("typo"), HERE).read()
    assert caught.value.fault.name == "config_invalid"
    assert "(typo)" in caught.value.message
    assert "CREATE SCHEMA" in caught.value.hint


# Sessions: each lock is one, and a server has few.


def _alter_team(database: str, words: LiteralString) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("ALTER ROLE team " + words)


def test_sixty_grants_at_once_are_content_with_ten_sessions(team: Callable[[str], str], database: str) -> None:
    _alter_team(database, "CONNECTION LIMIT 10")
    secret = Secret(new_key())
    with closing(open_grants(team("a"), HERE, lambda: secret)) as store, ThreadPoolExecutor(60) as threads:
        list(threads.map(lambda number: keep(store, grant(f"customer-{number}")), range(60)))
        assert len(list(store.facts())) == 60


def test_a_server_without_room_is_waited_for_as_long_as_a_lock_may_take(
    team: Callable[[str], str], database: str
) -> None:
    _alter_team(database, "CONNECTION LIMIT 1")
    with psycopg.connect(team("a")) as only, closing(open_state(team("a"), HERE)) as states:
        with pytest.raises(ConnectionFailed) as caught, states.lock_parts(["00"], 0.3):
            pass
        assert caught.value.fault.name == "store_unavailable"
        assert "no room for another session" in caught.value.hint
        freed = Timer(1, only.close)
        freed.start()
        with states.lock_parts(["00"], 20):
            assert only.closed, "there was no room before"
        freed.join()


def test_who_waits_behind_a_statement_timeout_is_told_for_whom(team: Callable[[str], str], database: str) -> None:
    _alter_team(database, "SET statement_timeout = '100ms'")
    holder, waiting = open_state(database, HERE), open_state(team("public"), HERE)
    with closing(holder), closing(waiting), holder.lock_parts(["00"], 5):  # noqa: SIM117  (what raises, apart)
        with pytest.raises(ConnectionFailed) as caught, waiting.lock_parts(["00"], 1):
            pass
    assert caught.value.fault.name == "store_locked"
    assert f":{os.getpid()} has held it since 20" in caught.value.message


def test_since_is_when_the_lock_was_taken(database: str) -> None:
    """The one who holds it in the end began its session long before, and waited."""
    taken = datetime.min.replace(tzinfo=UTC)
    is_held, is_seen = Event(), Event()

    def take() -> None:
        nonlocal taken
        with closing(open_state(database, HERE)) as second, second.lock_parts(["00"], 20):
            taken = datetime.now(UTC)
            is_held.set()
            is_seen.wait(20)

    thread = Thread(target=take)
    with closing(open_state(database, HERE)) as first, first.lock_parts(["00"], 5):
        thread.start()
        time.sleep(2.2)
    assert is_held.wait(20)
    try:
        third = open_state(database, HERE)
        with closing(third), pytest.raises(ConnectionFailed) as caught, third.lock_parts(["00"], 0.3):
            pass
    finally:
        is_seen.set()
        thread.join()
    said = datetime.fromisoformat(caught.value.message.rpartition("since ")[2])
    assert abs((said - taken).total_seconds()) < 2, caught.value.message
