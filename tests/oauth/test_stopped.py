"""A process that is stopped in the middle of a renewal, and whose database sessions end: another one renews, and nothing is spent twice."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, get_ident
from typing import Any

import psycopg
import pytest

from connform.auth.oauth import pending_refresh, renewal, token_call
from connform.database import grant_table, open_grants
from connform.database.cipher import new_key
from connform.database.memory import LockedMemoryGrant
from connform.grant import Grant
from connform.http.net import deadline
from connform.secret import Secret
from tests.database.conftest import keep
from tests.database.postgres import Postgres
from tests.end_to_end.conftest import Issuer
from tests.http.exchanging import authorization
from tests.http.servers import Connection, Server
from tests.oauth.setting import RENEWS, Setting, credential, error, fault_of, grant
from tests.oauth.test_overtaken import OF_THE_LOGIN, login, renew
from tests.repetitions import repeated

CALL_S = repeated(1, 60)
MAX_AGE_S = repeated(2, 90)
_LOCKED: Any = grant_table._LockedRow  # the class of a lock that is held
MOMENTS = ["before the pending refresh", "after it", "in the handshake"]


def renew_and_stop(moment: str, url: str, key: str, port: int, ca_pem: bytes) -> list[tuple[bytes, bytes]]:
    """Renew in a process that stops itself once."""
    modules: list[Any] = [renewal, token_call]
    for module in modules:
        module.CALL_S = CALL_S
    begin, stops = _LOCKED.begin_refresh, [moment]

    def stop_at(wanted: str) -> None:
        if wanted in stops:
            stops.remove(wanted)
            signal.pthread_kill(get_ident(), signal.SIGSTOP)  # this thread stops first

    def begin_and_stop(locked: Any, expected: Grant) -> bool:
        stop_at("before the pending refresh")
        begun: bool = begin(locked, expected)
        stop_at("after it")
        return begun

    _LOCKED.begin_refresh = begin_and_stop
    return renew(url, key, port, ca_pem)


class StrictEndpoint:
    """A token endpoint that takes the old refresh token once, and lets its first client wait for the handshake."""

    def __init__(self, authority: Issuer) -> None:
        self._tls = authority.server()
        self.holds_first = False
        self.was_reached, self.may_go_on = Event(), Event()

    def __call__(self, connection: Connection) -> None:
        if self.holds_first and not self.was_reached.is_set():
            self.was_reached.set()
            assert self.may_go_on.wait(300)
        connection.secure(self._tls)
        (error("invalid_grant") if connection.server.requests else RENEWS)(connection)


def wait_until_stopped(pid: int) -> None:
    gives_up_at = time.monotonic() + 30
    while {task.read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").glob("*/stat")} != {
        "T"
    }:
        assert time.monotonic() < gives_up_at
        time.sleep(0.01)


def end_sessions_of(pid: int, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ %s", (f":{pid}( |$)",)
        ).fetchall()
    assert ended == [(True,), (True,)]  # that of the lock, and its own


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_was_stopped_uses_the_token_of_the_one_that_took_over(
    authority: Issuer, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr(pending_refresh, "MAX_AGE", timedelta(seconds=MAX_AGE_S))
    key, url = new_key(), postgres.fresh()
    store = open_grants(url, Path("unused"), lambda: Secret(key))
    keep(store, grant())
    endpoint = StrictEndpoint(authority)
    endpoint.holds_first = moment == "in the handshake"
    with (
        Server(endpoint, ca_pem=authority.pem) as server,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as elsewhere,
    ):
        pid = elsewhere.submit(os.getpid).result()
        holder = elsewhere.submit(renew_and_stop, moment, url, key, server.port, authority.pem)
        if endpoint.holds_first:
            assert endpoint.was_reached.wait(30)
            os.kill(pid, signal.SIGSTOP)
        wait_until_stopped(pid)
        try:
            end_sessions_of(pid, url)
            with deadline.within(MAX_AGE_S + 30):
                assert credential(server, store).renew() == authorization("Bearer new")
            endpoint.may_go_on.set()
            time.sleep(0.2)  # the answer to its handshake is there when it goes on
        finally:
            os.kill(pid, signal.SIGCONT)
        assert holder.result(60) == authorization("Bearer new").reveal()
        assert len(server.requests) == 1
    (facts,) = store.facts()
    assert (facts.ended, facts.pending) == ("", None)
    store.close()


# The same in one process


def test_a_holder_that_was_stopped_before_it_sent_the_token_does_not_send_it_later(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have taken over meanwhile: the token is spent, and sending it again ends the grant."""
    begin = LockedMemoryGrant.begin_refresh

    def begin_and_stop(locked: LockedMemoryGrant, expected: Grant) -> bool:
        begun = begin(locked, expected)
        time.sleep(0.4)
        return begun

    monkeypatch.setattr(LockedMemoryGrant, "begin_refresh", begin_and_stop)
    for module in (renewal, token_call):
        monkeypatch.setattr(module, "CALL_S", 0.3)
    assert fault_of(setting.credential()) in {"tcp_timeout", "tls_timeout", "http_deadline"}
    assert setting.server.requests == []
    assert setting.facts.pending is None


def test_a_machine_that_slept_before_it_sent_the_token_does_not_send_it_later(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stands meanwhile."""
    begin, slept = LockedMemoryGrant.begin_refresh, [timedelta()]

    def begin_and_sleep(locked: LockedMemoryGrant, expected: Grant) -> bool:
        slept[0] = timedelta(hours=1)
        return begin(locked, expected)

    monkeypatch.setattr(LockedMemoryGrant, "begin_refresh", begin_and_sleep)
    late = credential(setting.server, setting.store, clock=lambda: datetime.now(UTC) + slept[0])
    assert fault_of(late) in {"tcp_timeout", "tls_timeout", "http_deadline"}
    assert setting.server.requests == []


def test_a_record_that_was_replaced_after_it_was_read_is_read_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock was lost with its session, before the pending refresh was written: the token that was read is spent."""
    begin = LockedMemoryGrant.begin_refresh

    def begin_late(locked: LockedMemoryGrant, expected: Grant) -> bool:
        setting.keep(login())
        return begin(locked, expected)

    monkeypatch.setattr(LockedMemoryGrant, "begin_refresh", begin_late)
    assert setting.credential().renew() == OF_THE_LOGIN
    assert setting.server.requests == []
    assert setting.facts.pending is None
