"""A renewal that lost its lock, its store or its race: no token is spent twice, and nobody's newer grant is replaced."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import gethostname
from threading import Thread
from typing import Any
from unittest.mock import Mock

import pytest

from connform.auth.oauth import pending_refresh, token_call
from connform.database import open_grants
from connform.database.cipher import new_key
from connform.database.memory import LockedMemoryGrant, MemoryStore
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantStore, Pending
from connform.http.net import deadline
from connform.secret import Secret
from tests.canary import AWKWARD
from tests.database.conftest import keep
from tests.database.postgres import Postgres
from tests.end_to_end.conftest import Issuer
from tests.http.exchanging import authorization
from tests.http.servers import Behaviour, Connection, Server, answer
from tests.oauth.setting import RENEWS, Setting, after, body, credential, error, failure_of, fault_of, grant

_SPAWN = multiprocessing.get_context("spawn")
NEW = authorization("Bearer new")


def login() -> Grant:
    """Return the grant of a login that came meanwhile."""
    now = datetime.now(UTC)
    facts = grant().facts._replace(obtained_at=now, expires_at=now + timedelta(hours=1))
    return Grant(facts, Secret("of-a-login"), Secret("of-a-login-too"))


OF_THE_LOGIN = authorization("Bearer of-a-login")


# Another one has replaced the record while the token endpoint was asked


def meanwhile_a_login(setting: Setting, answered: Behaviour) -> Behaviour:
    def behave(connection: Connection) -> None:
        setting.keep(login())
        answered(connection)

    return behave


OVERTAKEN = {
    "it is refused": error("invalid_grant"),
    "it is renewed": RENEWS,
    "it is down": answer(b"", status=503),
    "it answers with a page": answer(b"<html>"),
}


@pytest.mark.parametrize("case", OVERTAKEN)
def test_a_grant_that_came_meanwhile_is_used_and_kept(setting: Setting, case: str) -> None:
    setting.server.behaviour = meanwhile_a_login(setting, OVERTAKEN[case])
    assert setting.credential().renew() == OF_THE_LOGIN
    assert (setting.refresh_token, setting.facts.ended, setting.facts.pending) == ("of-a-login-too", "", None)


def test_a_logout_while_the_lock_is_waited_for_ends_the_renewal(setting: Setting) -> None:
    class LoggedOut(MemoryStore):
        @contextmanager
        def lock(self, connection: str, timeout_s: float) -> Iterator[LockedMemoryGrant]:
            with super().lock(connection, timeout_s) as locked:
                locked.delete()
                yield locked

    store = LoggedOut()
    store.grants = setting.store.grants
    failure = failure_of(credential(setting.server, store))
    assert (failure.fault.name, "has just been deleted" in failure.message) == ("login_required", True)
    assert setting.server.requests == []


# Another one's refresh is under way, although the lock is free


def _exit() -> None:
    """What a process does that is dead soon."""


@pytest.fixture(scope="module")
def dead_pid() -> int:
    process = _SPAWN.Process(target=_exit)
    process.start()
    process.join()
    assert process.pid is not None
    return process.pid


HOLDERS: dict[str, tuple[str, timedelta, bool]] = {
    "a process of another host": ("elsewhere:{dead}", timedelta(), True),
    "one whose call has just ended": ("elsewhere:1", timedelta(seconds=token_call.CALL_S + 10), True),
    "one whose clock goes a little fast": ("elsewhere:1", timedelta(seconds=-20), True),
    "one of another host, long ago": ("elsewhere:1", pending_refresh.MAX_AGE, False),
    "one whose clock is wrong": ("elsewhere:1", -2 * pending_refresh.MAX_AGE, False),
    "a living process of this host": ("{host}:{alive}", timedelta(), True),
    "a number that no process has": ("{host}:99999999999999999999", timedelta(), False),
    "a dead process of this host": ("{host}:{dead}", timedelta(), False),
    "an earlier process with this one's number": ("{host}:{own}", timedelta(), False),
    "nobody": ("", timedelta(), False),
    "no process": ("{host}:x", timedelta(), False),
}


@pytest.fixture
def living_pid() -> Iterator[int]:
    """The id of a process that a signal would end; it must not get one."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        is_alive = process.poll() is None
        process.kill()
    assert is_alive


@pytest.mark.parametrize("case", HOLDERS)
def test_a_refresh_that_may_still_be_under_way_is_waited_for(
    setting: Setting, living_pid: int, dead_pid: int, case: str
) -> None:
    form, age, waits = HOLDERS[case]
    holder = form.format(host=gethostname(), alive=living_pid, dead=dead_pid, own=os.getpid())
    setting.keep(grant(pending=Pending(datetime.now(UTC) - age, holder)))
    if not waits:
        with deadline.within(20):
            assert setting.credential().renew() == NEW
        return
    with pytest.raises(ConnectionFailed) as caught, deadline.within(0.5):
        setting.credential().renew()
    assert caught.value.fault.name == "store_locked"
    assert f"{holder} has been renewing" in caught.value.message
    assert (setting.server.requests, setting.refresh_token) == ([], AWKWARD)
    with setting.store.lock("customer", 1):
        assert not setting.server.requests, "who gives up lets go of the lock"


def test_a_process_of_another_user_may_be_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    now = datetime.now(UTC)
    assert pending_refresh.is_under_way(Pending(now, f"{gethostname()}:1"), "customer", now)


def test_the_answer_of_a_refresh_that_was_waited_for_is_used(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Mock(side_effect=pending_refresh.is_under_way)
    monkeypatch.setattr(pending_refresh, "is_under_way", look)
    setting.keep(grant(pending=Pending(datetime.now(UTC), "elsewhere:1")))
    got: list[Any] = []
    waiting = Thread(target=lambda: got.append(setting.credential().renew()))
    waiting.start()
    time.sleep(0.5)
    setting.keep(login())
    waiting.join()
    assert (got, setting.server.requests) == ([OF_THE_LOGIN], [])
    assert look.call_count < 10, "it is looked for a few times a second"


def test_a_refresh_that_ends_while_it_is_asked_after_leaves_its_spent_token_alone(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record was read before its holder wrote the new tokens, and its holder looked for when it had ended."""

    def ended(*_: object) -> bool:
        setting.keep(login())
        return False

    setting.keep(grant(pending=Pending(datetime.now(UTC), "elsewhere:1")))
    monkeypatch.setattr(pending_refresh, "is_under_way", ended)
    assert setting.credential().renew() == OF_THE_LOGIN
    assert setting.server.requests == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_lost_answer_keeps_nobody_waiting(setting: Setting, database: str, tmp_path: Path, kind: str) -> None:
    """The process whose answer was lost lives on; the others know that it waits for nothing any more."""
    secret = Secret(new_key())
    store = open_grants(database if kind == "postgresql" else "", tmp_path / ".connform", lambda: secret)
    keep(store, grant())
    setting.server.behaviour = answer(b"<html>")
    assert fault_of(credential(setting.server, store)) == "refresh_interrupted"
    (facts,) = store.facts()
    assert facts.pending is not None
    assert not pending_refresh.is_under_way(facts.pending, "customer", datetime.now(UTC))
    assert facts.pending.holder == ""
    store.close()


# The lock goes with the session: the server ends it while its holder waits for the token endpoint


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URL of a fresh database."""
    return postgres.fresh("overtaken")


def renew(url: str, key: str, port: int, ca_pem: bytes) -> list[tuple[bytes, bytes]]:
    """Renew in a process or thread with a store of its own."""
    secret = Secret(key)
    store = open_grants(url, Path("unused"), lambda: secret)
    server = Server(RENEWS, ca_pem=ca_pem)
    server.port = port
    try:
        return credential(server, store).renew().reveal()
    finally:
        store.close()


def end_sessions_with_locks(url: str, store: GrantStore) -> None:
    """Do what a server does that restarts, once a refresh is under way."""
    import psycopg

    gives_up_at = time.monotonic() + 30
    while not any(facts.pending for facts in store.facts()):
        assert time.monotonic() < gives_up_at
        time.sleep(0.01)
    with psycopg.connect(url, autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        ).fetchall()
    assert ended == [(True,)]


EXECUTORS: dict[str, Callable[[], Executor]] = {
    "process": lambda: ProcessPoolExecutor(1, _SPAWN),
    "thread": lambda: ThreadPoolExecutor(1),
}


@pytest.mark.parametrize("where", EXECUTORS)
def test_a_lock_that_is_lost_while_the_token_endpoint_is_asked_lets_nobody_spend_the_token_again(
    authority: Issuer, database: str, where: str
) -> None:
    key = new_key()
    secret = Secret(key)
    store = open_grants(database, Path("unused"), lambda: secret)
    keep(store, grant())
    first = after(2, body())

    def behave(connection: Connection) -> None:
        (first if not connection.server.requests else error("invalid_grant"))(connection)

    with Server(behave, tls=authority.server(), ca_pem=authority.pem) as server, EXECUTORS[where]() as elsewhere:
        holder = elsewhere.submit(renew, database, key, server.port, authority.pem)
        end_sessions_with_locks(database, store)
        with deadline.within(30):
            assert credential(server, store).renew() == NEW
        assert holder.result() == NEW.reveal()  # it has lost its lock, not its answer
        assert len(server.requests) == 1
    (facts,) = store.facts()
    assert (facts.ended, facts.pending) == ("", None)
    store.close()
