"""PgBouncer before the server: a pool of sessions is used, one that gives a session to several clients is refused by its name."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connform.database import open_grants, pooler
from connform.database.cipher import new_key
from connform.errors import ConnectionFailed
from connform.grant import GrantStore
from connform.secret import Secret
from tests.database.conftest import grant, keep
from tests.database.pgbouncer import pgbouncer
from tests.database.postgres import PASSWORD, Postgres


def opened(database: str, postgres: Postgres, port: int, key: str) -> GrantStore:
    secret = Secret(key)
    return open_grants(database.replace(f":{postgres.port}/", f":{port}/"), Path("unused"), lambda: secret)


def test_a_pool_of_sessions_is_used(postgres: Postgres, database: str) -> None:
    key = new_key()
    with pgbouncer(postgres, "session") as port:
        stores = [opened(database, postgres, port, key) for _ in range(2)]
        keep(stores[0], grant())
        with (
            stores[0].lock("customer", 5),
            pytest.raises(ConnectionFailed, match="was not free"),
            stores[1].lock("customer", 0.3),
        ):
            pass
        for store in stores:
            store.close()


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pool_of_transactions_is_refused(postgres: Postgres, database: str, mode: str, size: int) -> None:
    with pgbouncer(postgres, mode, size) as port:
        for _ in range(5):
            store = opened(database, postgres, port, new_key())
            with pytest.raises(ConnectionFailed, match="one session to several clients") as refused:
                store.read("customer")
            store.close()
            assert refused.value.fault.name == "config_invalid"
            assert "pool_mode = session" in refused.value.hint
            assert PASSWORD not in refused.value.message


def test_a_busy_pool_of_transactions_is_refused_too(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "_WAIT_S", 20.0)  # a busy machine is no full pool
    with pgbouncer(postgres, "transaction") as port:

        def fault(_: int) -> str:
            store = opened(database, postgres, port, new_key())
            try:
                store.read("customer")
            except ConnectionFailed as failure:
                return failure.fault.name
            finally:
                store.close()
            return "used"

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(fault, range(40))) == {"config_invalid"}


def test_a_session_is_waited_for_where_the_pool_has_none_left(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "_WAIT_S", 0.2)
    with pgbouncer(postgres, "session", size=1) as port, ThreadPoolExecutor(1) as threads:
        first, second = (opened(database, postgres, port, new_key()) for _ in range(2))
        assert first.read("customer") is None
        waiting = threads.submit(second.read, "customer")
        time.sleep(1)
        first.close()
        assert waiting.result(20) is None
        second.close()


def test_a_pool_of_sessions_without_room_is_waited_for_and_no_reason_to_refuse_it(
    postgres: Postgres, database: str
) -> None:
    with pgbouncer(postgres, "session", size=1) as port:
        store = opened(database, postgres, port, new_key())
        assert store.read("customer") is None
        store.close()
