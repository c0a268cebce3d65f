"""The same in one process, with a store that fails: who uses the new token meanwhile, and what is written later."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from connform.auth.oauth import pending_refresh, unsaved
from connform.auth.oauth.unsaved import UnsavedGrant, unsaved_grants
from connform.database import grant_table, open_grants
from connform.database.memory import LockedMemoryGrant
from connform.errors import ConnectionFailed
from connform.grant import Grant, Pending
from connform.http.net import deadline
from tests.canary import AWKWARD
from tests.database.conftest import keep
from tests.http.exchanging import authorization
from tests.http.servers import answer
from tests.oauth.setting import Setting, credential, fault_of, grant
from tests.oauth.test_overtaken import OF_THE_LOGIN, login

NEW = authorization("Bearer new")


def fail(*_: object) -> NoReturn:
    raise ConnectionFailed("store_unwritable", "the disk is full")


def start_none(**_: object) -> NoReturn:
    raise RuntimeError


class FailingWrites:
    """Lets writes fail until it is told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fails = True
        write = LockedMemoryGrant.write

        def write_or_fail(locked: LockedMemoryGrant, grant: Grant) -> None:
            if self.fails:
                fail()
            write(locked, grant)

        monkeypatch.setattr(LockedMemoryGrant, "write", write_or_fail)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingWrites]:
    writes = FailingWrites(monkeypatch)
    yield writes
    for one in unsaved_grants():
        one.give_up()


@pytest.fixture
def only_the_next_renewal_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnsavedGrant, "_keep_writing", lambda _: None)


def wait_until(fits: Callable[[], bool]) -> None:
    gives_up_at = time.monotonic() + 30
    while not fits():
        assert time.monotonic() < gives_up_at
        time.sleep(0.01)


def test_a_grant_is_written_in_the_background(
    setting: Setting, writes: FailingWrites, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "connform")
    assert setting.credential().renew() == NEW
    assert setting.refresh_token == AWKWARD
    wait_until(lambda: "in memory alone: the disk is full" in caplog.text)
    writes.fails = False
    wait_until(lambda: not unsaved_grants())
    assert (setting.refresh_token, setting.facts.pending) == ("next", None)
    assert len(setting.server.requests) == 1


def test_a_process_that_starts_no_thread_any_more_writes_it_too(
    setting: Setting, writes: FailingWrites, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.12.1 starts none once the main thread has ended."""

    monkeypatch.setattr(unsaved, "Thread", start_none)
    back = threading.Timer(0.5, lambda: setattr(writes, "fails", False))
    back.start()
    assert setting.credential().renew() == NEW
    assert setting.refresh_token == "next"
    back.join()


class Clock:
    """A clock that only `sleep` moves on, and a main thread that ends at a moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, main_ends_at: float) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        main = SimpleNamespace(is_alive=lambda: self.now < main_ends_at)
        replaced = {"sleep": self._sleep, "monotonic": lambda: self.now, "main_thread": lambda: main}
        for name, replacement in replaced.items():
            monkeypatch.setattr(unsaved, name, replacement)

    def _sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        self.now += pause_s


def test_once_the_main_thread_has_ended_a_write_is_tried_for_a_minute_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(monkeypatch, main_ends_at=100)
    monkeypatch.setattr(unsaved, "Thread", start_none)
    one = UnsavedGrant("customer", fail, ConnectionFailed("store_unavailable", "it was away"), "log in again")
    assert clock.pauses == [0.1, 0.3, 0.6, *[1.0] * 160]
    warned, lost = caplog.messages
    assert warned.startswith("the new grant of customer is in memory alone: the disk is full; it is lost if")
    assert lost == "the new grant of customer is lost: it could not be written: the disk is full; log in again"
    assert (one.is_over, unsaved_grants()) == (True, [])


@pytest.mark.usefixtures("only_the_next_renewal_writes")
def test_a_refresh_counts_as_under_way_until_its_grant_is_written() -> None:
    pending, now = Pending.of_this_process(), datetime.now(UTC)
    one = UnsavedGrant("customer", lambda: None, ConnectionFailed("store_unavailable", "it was away"), "")
    assert pending_refresh.is_under_way(pending, "customer", now)
    one.write()
    assert not pending_refresh.is_under_way(pending, "customer", now)


@pytest.mark.parametrize("is_given_up", [False, True], ids=["written", "given up"])
def test_what_is_written_or_given_up_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, is_given_up: bool
) -> None:
    clock = Clock(monkeypatch, main_ends_at=100)
    monkeypatch.setattr(unsaved, "Thread", start_none)

    def write() -> None:
        if len(clock.pauses) < 3:
            fail()
        if is_given_up:
            unsaved_grants()[0].give_up()
            fail()

    UnsavedGrant("customer", write, ConnectionFailed("store_unavailable", "it was away"), "")
    assert clock.pauses == [0.1, 0.3, 0.6, *[1.0] * is_given_up]
    assert len(caplog.messages) == is_given_up, "nobody is told of a moment"


@pytest.mark.usefixtures("only_the_next_renewal_writes")
def test_a_process_that_ends_waits_for_a_minute_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, main_ends_at=0)
    one = UnsavedGrant("customer", fail, ConnectionFailed("store_unavailable", "it was away"), "")
    unsaved.wait_until_written()
    assert clock.now == pytest.approx(60, abs=0.1)
    one.give_up()
    unsaved.wait_until_written()
    assert clock.now == pytest.approx(60, abs=0.1)


def test_nobody_is_warned_of_a_moment(
    setting: Setting, writes: FailingWrites, caplog: pytest.LogCaptureFixture
) -> None:
    assert setting.credential().renew() == NEW
    writes.fails = False
    wait_until(lambda: setting.refresh_token == "next")
    assert "in memory alone" not in caplog.text


def test_another_client_of_the_process_does_not_spend_the_old_token(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = open_grants("", tmp_path / ".connform", None)
    keep(store, grant())
    with monkeypatch.context() as patch:
        patch.setattr(grant_table._LockedRow, "replace", fail)
        assert credential(setting.server, store).renew() == NEW
        other = credential(setting.server, store)
        with pytest.raises(ConnectionFailed, match="has been renewing"), deadline.within(0.5):
            other.renew()
    with deadline.within(20):
        assert other.renew() == NEW
    assert len(setting.server.requests) == 1
    store.close()


@pytest.mark.usefixtures("only_the_next_renewal_writes")
def test_the_next_renewal_writes_it_first(setting: Setting, writes: FailingWrites) -> None:
    holder = setting.credential()
    assert holder.renew() == NEW
    writes.fails = False
    assert holder.renew(holder.headers()) == NEW
    assert setting.refresh_token == "next"
    assert len(setting.server.requests) == 1


@pytest.mark.usefixtures("only_the_next_renewal_writes", "writes")
def test_where_the_new_token_is_refused_too_the_old_one_is_not_sent_again(setting: Setting) -> None:
    setting.keep(grant(expires_at=datetime.now(UTC) + timedelta(hours=1)))
    holder = setting.credential()
    assert holder.renew(holder.renew()) == NEW
    with pytest.raises(ConnectionFailed, match="the disk is full"):
        holder.renew(NEW)


@pytest.mark.usefixtures("writes")
def test_a_store_that_fails_hides_no_failure_of_the_token_endpoint(setting: Setting) -> None:
    setting.server.behaviour = answer(b"", status=503)
    assert fault_of(setting.credential()) == "token_endpoint_unavailable"
    assert len(setting.server.requests) == 1


@pytest.mark.usefixtures("only_the_next_renewal_writes")
@pytest.mark.parametrize("meanwhile", ["a login", "a logout"])
def test_a_renewal_that_could_not_be_written_replaces_nothing_newer(
    setting: Setting, writes: FailingWrites, meanwhile: str
) -> None:
    holder: Any = setting.credential()
    assert holder.renew() == NEW
    writes.fails = False
    if meanwhile == "a logout":
        del setting.store.grants["customer"]
        with pytest.raises(ConnectionFailed) as caught:
            holder.renew(NEW)
        assert caught.value.fault.name == "login_required"
        assert setting.store.grants == {}
    else:
        setting.keep(login())
        assert holder.renew(NEW) == OF_THE_LOGIN
        assert setting.refresh_token == "of-a-login-too"
