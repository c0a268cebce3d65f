"""What every store of grants promises, over all of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from threading import Thread, Timer
from typing import Any

import pytest

from connform.database import open_grants, open_state
from connform.database.cipher import new_key
from connform.database.grant_table import write_grant
from connform.errors import ConnectionFailed
from connform.grant import GrantStore
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.database.conftest import Kind, begin_refresh, grant, keep, tokens
from tests.forking import forked
from tests.repetitions import repeated

_SPAWN = multiprocessing.get_context("spawn")
MANY = repeated(2_100, 10_000)
"""Grants: more than the store reads at once, several times."""


def test_an_untouched_store_is_empty_and_leaves_no_trace(store: GrantStore, kind: Kind) -> None:
    assert (store.read("customer"), list(store.facts())) == (None, [])
    assert not kind.folder.exists()


def test_what_was_written_is_read_by_another_process(opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant())
    kept = opened().read("customer")
    assert kept is not None
    assert kept.facts == grant().facts
    assert tokens(kept) == (API_KEY, AWKWARD)


def test_a_grant_without_end_and_refresh_token_stays_one(store: GrantStore) -> None:
    keep(store, grant(expires_at=None, is_renewable=False, scopes=())._replace(refresh_token=None))
    kept = store.read("customer")
    assert kept is not None
    assert (kept.facts.expires_at, kept.facts.is_renewable, kept.facts.scopes) == (None, False, ())
    assert kept.refresh_token is None


def test_facts_come_by_name_and_need_no_key(opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant("b"), grant("a"))
    assert [facts.connection for facts in opened(new_key()).facts()] == ["a", "b"]


def test_a_journal_entry_lasts_until_the_record_is_replaced(opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant())
    with opened().lock("customer", 5) as locked:
        begin_refresh(locked)
        (facts,) = opened().facts()
        assert facts.pending is not None
        assert facts.pending.holder.endswith(f":{os.getpid()}")
        assert tokens(locked.read()) == (API_KEY, AWKWARD)  # still readable, should the process die now
        locked.write(grant())
    (facts,) = opened().facts()
    assert facts.pending is None


def test_only_the_record_that_was_spent_is_replaced(store: GrantStore) -> None:
    spent, renewed = grant(), grant()._replace(access_token=Secret("renewed"))
    keep(store, spent)
    with store.lock("customer", 5) as locked:
        assert locked.replace(spent, renewed)
        assert not locked.replace(spent, grant(scopes=())), "its tokens are no longer there"
        assert tokens(locked.read()) == ("renewed", AWKWARD)
        locked.delete()
        assert not locked.replace(renewed, spent), "a logout came first"
    assert store.read("customer") is None


def test_what_a_login_writes_at_the_same_moment_is_not_replaced(opened: Callable[..., GrantStore]) -> None:
    """Who replaces has lost its lock, which a database session can, and finds its own record still there when it looks."""
    keep(opened(), grant())
    renewing, logging_in = opened(), opened()
    newer = grant()._replace(access_token=Secret("of a login"))
    replaced: list[bool] = []

    def replace() -> None:
        with renewing.lock("customer", 5) as locked:
            replaced.append(locked.replace(grant(), grant()._replace(access_token=Secret("renewed"))))

    with logging_in.keyed.writing() as (execute, cipher):  # type: ignore[attr-defined]  # of Records
        write_grant(execute, cipher, newer)
        thread = Thread(target=replace)
        thread.start()
        thread.join(0.5)  # it has looked, or waits to
        assert replaced == []
    thread.join(30)
    assert replaced == [False]
    assert tokens(opened().read("customer")) == ("of a login", AWKWARD)


def test_deleting_leaves_nothing_and_the_others(store: GrantStore) -> None:
    keep(store, grant("a"), grant("b"))
    for _ in range(2):
        with store.lock("a", 5) as locked:
            locked.delete()
    assert [facts.connection for facts in store.facts()] == ["b"]


def _lost() -> Secret:
    pytest.fail("the key was asked for")


def test_a_grant_is_deleted_without_its_key(kind: Kind, opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant("a"), grant("b"))
    keyless = open_grants(kind.url, kind.folder, _lost)
    with keyless.lock("a", 5) as locked:
        locked.delete()
    keyless.close()
    assert [facts.connection for facts in opened().facts()] == ["b"]


def test_a_store_without_grants_takes_another_key(opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant())
    key = new_key()
    with pytest.raises(ConnectionFailed):
        keep(opened(key), grant("another"))
    with opened().lock("customer", 5) as locked:
        locked.delete()
    keep(opened(key), grant("another"))
    assert tokens(opened(key).read("another")) == (API_KEY, AWKWARD)
    with pytest.raises(ConnectionFailed) as caught:
        opened().read("another")
    assert caught.value.fault.name == "store_key_wrong"


def test_a_proof_changes_nothing(store: GrantStore) -> None:
    keep(store, grant())
    with store.lock("customer", 5) as locked:
        locked.check_writable()
        locked.check_writable()
    assert store.read("customer") is not None


@pytest.mark.parametrize("use", ["read", "write", "check_writable"])
def test_another_key_is_refused_and_changes_nothing(opened: Callable[..., GrantStore], use: str) -> None:
    keep(opened(), grant())
    other = opened(new_key())
    with pytest.raises(ConnectionFailed) as caught, other.lock("customer", 5) as locked:
        {"read": locked.read, "write": lambda: locked.write(grant()), "check_writable": locked.check_writable}[use]()
    assert caught.value.fault.name == "store_key_wrong"
    assert tokens(opened().read("customer")) == (API_KEY, AWKWARD)


@pytest.mark.parametrize("key", ["", "hunter2", "aGVsbG8=", API_KEY], ids=["empty", "text", "short", "canary"])
def test_what_is_no_key_is_refused_and_never_echoed(opened: Callable[..., GrantStore], key: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        keep(opened(key or " "), grant())
    assert caught.value.fault.name == "secret_malformed"
    assert_no_canary(caught.value.message, caught.value.hint)


def test_a_record_under_another_name_does_not_open(opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant("a"))
    swap = opened()
    with swap._database.writing() as execute:  # type: ignore[attr-defined]  # what an attacker with write access could do
        execute("UPDATE connform_grants SET connection = 'b'")
    with pytest.raises(ConnectionFailed) as caught:
        opened().read("b")
    assert caught.value.fault.name == "store_corrupt"


def test_threads_exclude_each_other(opened: Callable[..., GrantStore]) -> None:
    store, inside, most = opened(), [0], [0]

    def work() -> None:
        for _ in range(5):
            with store.lock("customer", 30):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.002)
                inside[0] -= 1

    threads = [Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_grants_of_other_names_are_not_locked(store: GrantStore) -> None:
    with store.lock("a", 5), store.lock("b", 0.5):
        pass


def _hold(kind: Kind, held: Any) -> None:
    with kind.open().lock("customer", 5) as locked:
        begin_refresh(locked)
        held.set()
        time.sleep(60)


def test_a_lock_says_who_holds_it_and_ends_with_its_holder(kind: Kind, opened: Callable[..., GrantStore]) -> None:
    keep(opened(), grant())
    held = _SPAWN.Event()
    holder = _SPAWN.Process(target=_hold, args=(kind, held))
    holder.start()
    try:
        assert held.wait(30)
        with pytest.raises(ConnectionFailed) as caught, opened().lock("customer", 0.3):
            pass
        assert caught.value.fault.name == "store_locked"
        assert f":{holder.pid} has" in caught.value.message
        assert "since 20" in caught.value.message
    finally:
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
    with opened().lock("customer", 5) as locked:
        kept = locked.read()
    assert kept is not None
    assert kept.facts.pending is not None  # the next one knows that a refresh was cut off
    assert tokens(kept) == (API_KEY, AWKWARD)


def test_several_names_have_one_deadline_in_all(kind: Kind) -> None:
    """Each is freed soon enough for a limit of its own, and all of them too late for one."""
    names = [f"{part:02}" for part in range(4)]
    with closing(open_state(kind.url, kind.folder)) as first, closing(open_state(kind.url, kind.folder)) as second:
        with ExitStack() as stack:
            holders = {name: stack.enter_context(ExitStack()) for name in names}
            for name, holder in holders.items():
                holder.enter_context(first.lock_parts([name], 5))
            freed = [Timer(0.7 * (number + 1), holder.close) for number, holder in enumerate(holders.values())]
            for timer in freed:
                timer.start()
            with pytest.raises(ConnectionFailed) as caught, second.lock_parts(names, 1.2):
                pass
            for timer in freed:
                timer.join()
        assert caught.value.fault.name == "store_locked"
        assert "within 1.2 s" in caught.value.message


def test_a_fork_does_not_share_the_connection(store: GrantStore) -> None:
    keep(store, grant())
    child = os.fork()
    if child == 0:
        try:
            keep(store, grant("of-the-child"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    keep(store, grant("of-the-parent"))
    assert {facts.connection for facts in store.facts()} == {"customer", "of-the-child", "of-the-parent"}


def test_thousands_of_grants(store: GrantStore, kind: Kind) -> None:
    started = time.perf_counter()
    with store._database.writing() as execute:  # type: ignore[attr-defined]  # one transaction: the lock is not the point
        execute("SELECT 1")
    keep(store, grant("first"))
    with store.keyed.writing() as (execute, cipher):  # type: ignore[attr-defined]  # both kinds of store have it
        for number in range(MANY):
            write_grant(execute, cipher, grant(f"customer-{number}"))
    written = time.perf_counter()
    assert sum(1 for _ in store.facts()) == MANY + 1
    listed = time.perf_counter()
    for number in range(0, MANY, 10):
        assert store.read(f"customer-{number}") is not None
    read = time.perf_counter()
    size = sum(file.stat().st_size for file in kind.folder.rglob("*")) if kind.folder.exists() else 0
    print(
        f"{MANY} grants: written {written - started:.2f} s, facts {listed - written:.2f} s, "
        f"one read {(read - listed) * 10_000 / MANY:.3f} ms, {size / MANY:.0f} bytes each"
    )


def test_a_child_that_was_forked_in_the_middle_of_a_transaction_waits_for_nobody(store: GrantStore) -> None:
    """Its parent's thread holds what it would wait for; and closing what it inherits would undo what that thread writes."""
    keep(store, grant())
    writing, forked = threading.Event(), threading.Event()

    def write() -> None:
        with store.lock("other", 5) as locked, store.keyed.writing() as (execute, cipher):  # type: ignore[attr-defined]  # of Records
            write_grant(execute, cipher, grant(ended="half"))
            writing.set()
            forked.wait(20)
            assert locked.read() is None

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # it ends by that where it waits
        kept = store.read("customer")
        store.close()
        os._exit(0 if kept is not None and kept.facts.ended == "" else 1)
    _, status = os.waitpid(child, 0)
    forked.set()
    writer.join()
    assert os.waitstatus_to_exitcode(status) == 0
    kept = store.read("customer")
    assert kept is not None
    assert kept.facts.ended == "half"


def test_a_child_that_leaves_the_block_leaves_the_lock_to_its_parent(store: GrantStore, kind: Kind) -> None:
    keep(store, grant())
    lock = store.lock("customer", 5)

    def leave() -> None:
        lock.__exit__(None, None, None)

    with closing(kind.open()) as other:
        with lock as locked:
            with forked(leave) as child:
                child.result()
            with pytest.raises(ConnectionFailed) as caught, other.lock("customer", 0.3):
                pass
            assert caught.value.fault.name == "store_locked"
            locked.write(grant())
        with other.lock("customer", 5) as locked:
            assert locked.read() is not None
