"""What was changed in a record of a grant, or put back in its place, is noticed by whoever reads it with the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connform.database.grant_rows import COLUMNS, FACTS
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantStore, Pending
from connform.secret import Secret
from tests.canary import assert_no_canary
from tests.database.conftest import NOW, begin_refresh, grant, keep, tokens
from tests.end_to_end.running import run

Row = dict[str, Any]

FULL = grant(pending=Pending(NOW, "host:1"), ended="login_required", account="jane@acme.example", refresh_ends_at=NOW)
"""A record in which every fact says something."""
CHANGES = {
    "connection": "other",
    "token_url": "https://evil.example/token",
    "client_id": "evil",
    "scopes": "admin",
    "obtained_at": (NOW + timedelta(days=1)).timestamp(),
    "expires_at": None,
    "is_renewable": 0,
    "revoke_url": "https://evil.example/revocation",
    "pending_since": None,
    "pending_holder": "",
    "ended": "",
    "granted_at": (NOW - timedelta(days=1)).timestamp(),
    "account": None,
    "refresh_ends_at": (NOW + timedelta(days=1)).timestamp(),
}


def sql(store: GrantStore, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Do what whoever can write to the database could do, without the key."""
    with store._database.writing() as execute:  # type: ignore[attr-defined]  # of Records
        return execute(statement, values)  # type: ignore[no-any-return]


def row(store: GrantStore, *more: str) -> tuple[Any, ...]:
    (found,) = sql(
        store,
        f"SELECT {', '.join((*COLUMNS, *more))} FROM connform_grants LEFT JOIN connform_stamps USING (connection)",
    )
    return found


def put_back(store: GrantStore, earlier: tuple[Any, ...]) -> None:
    sql(store, "DELETE FROM connform_grants")
    places = ", ".join("?" * len(COLUMNS))
    sql(store, f"INSERT INTO connform_grants ({', '.join(COLUMNS)}) VALUES ({places})", *earlier[: len(COLUMNS)])


def demand_refused(store: GrantStore, name: str = "customer") -> None:
    with pytest.raises(ConnectionFailed, match="changed since it was written, or an earlier one") as caught:
        store.read(name)
    assert caught.value.fault.name == "store_corrupt"
    assert_no_canary(caught.value.message, caught.value.hint)


def test_every_fact_is_looked_at() -> None:
    assert set(CHANGES) == set(FACTS)


@pytest.mark.parametrize("fact", CHANGES)
def test_a_fact_that_was_changed_is_noticed(opened: Callable[..., GrantStore], fact: str) -> None:
    keep(opened(), FULL)
    sql(opened(), f"UPDATE connform_grants SET {fact} = ?", CHANGES[fact])
    if fact == "connection":
        sql(opened(), "UPDATE connform_stamps SET connection = 'other'")
    demand_refused(opened(), "other" if fact == "connection" else "customer")


def renew(store: GrantStore) -> None:
    with store.lock("customer", 5) as locked:
        kept = locked.read()
        assert kept is not None
        begin_refresh(locked)
        newer = kept._replace(access_token=Secret("renewed"), facts=kept.facts._replace(pending=None))
        assert locked.replace(kept, newer)


def begin(store: GrantStore) -> None:
    with store.lock("customer", 5) as locked:
        begin_refresh(locked)


def log_in(store: GrantStore) -> None:
    keep(store, grant())


def note(store: GrantStore) -> None:
    with store.lock("customer", 5) as locked:
        kept = locked.read()
        assert kept is not None
        assert locked.replace(kept, kept._replace(facts=kept.facts._replace(ended="login_required")))


@pytest.mark.parametrize("later", [renew, begin, log_in, note])
def test_an_earlier_record_that_was_put_back_is_noticed(
    opened: Callable[..., GrantStore], later: Callable[[GrantStore], None]
) -> None:
    store = opened()
    keep(store, grant())
    earlier = row(store)
    later(store)
    put_back(store, earlier)
    demand_refused(store)
    demand_refused(opened())


def test_a_deleted_record_that_was_put_back_is_noticed(opened: Callable[..., GrantStore]) -> None:
    store = opened()
    keep(store, grant())
    earlier = row(store)
    with store.lock("customer", 5) as locked:
        locked.delete()
    put_back(store, earlier)
    demand_refused(opened())


def test_nothing_of_two_records_can_be_mixed(opened: Callable[..., GrantStore]) -> None:
    store = opened()
    keep(store, grant())
    *_, sealed, stamp = row(store, "stamp")
    keep(store, grant(scopes=("admin",)))
    sql(store, "UPDATE connform_grants SET sealed = ?", bytes(sealed))
    demand_refused(store)
    sql(store, "UPDATE connform_stamps SET stamp = ?", bytes(stamp))
    demand_refused(store)
    sql(store, "DELETE FROM connform_stamps")
    demand_refused(store)


def test_a_record_that_is_refused_is_replaced_by_a_login_and_deleted_without_a_key(
    opened: Callable[..., GrantStore],
) -> None:
    store = opened()
    keep(store, grant())
    sql(store, "UPDATE connform_grants SET scopes = 'admin'")
    with store.lock("customer", 5) as locked:
        locked.write(grant())
        assert_tokens(locked.read())
        locked.delete()
    assert store.read("customer") is None
    assert sql(store, "SELECT * FROM connform_stamps") == []


def assert_tokens(kept: Grant | None) -> None:
    assert tokens(kept) == tokens(grant())


def test_changed_facts_are_in_no_token(tmp_path: Path) -> None:
    """`connform token --format json` showed the scopes that somebody had written into the database."""
    from connform.database import open_grants

    auth = {
        "method": "oauth2",
        "client_id": "acme-portal",
        "client_secret": "env://S",
        "redirect_uri": "https://localhost/a",
    }
    urls = {"authorize_url": "https://login.acme.example/a", "token_url": "https://login.acme.example/connect/token"}
    customer = {
        "provider": "http",
        "base_url": "https://api.acme.example",
        "check": {"path": "/", "expect": {"body": {"const": {}}}},
        "auth": auth | urls,
    }
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {"customer": customer}}))
    store = open_grants("", tmp_path / ".connform", None)
    keep(store, grant(expires_at=None))
    sql(store, "UPDATE connform_grants SET scopes = 'admin'")
    store.close()
    shown = run("token", "customer", "--format", "json", cwd=tmp_path, env={"S": "synthetic"})
    assert (shown.code, shown.out, "store_corrupt" in shown.err) == (5, "", True), shown.err
