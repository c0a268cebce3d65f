"""A lock of the operating system, where processes are forked: a child shares the open files of its parent."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connform.database.interface import LockTimeout
from connform.database.locks import lock_file
from connform.errors import ConnectionFailed


@contextmanager
def child(work: Callable[[], object]) -> Iterator[int]:
    """Run `work` in a forked child, which then lives until the end of the block."""
    is_done, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(done, b".")
            time.sleep(60)
        finally:
            os._exit(1)
    os.close(done)
    try:
        assert os.read(is_done, 1) == b"."
        yield pid
    finally:
        os.close(is_done)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_limit_of_open_files_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_none(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", open_none)
    with pytest.raises(ConnectionFailed, match="Too many open files") as raised, lock_file(tmp_path / "locks", "a", 1):
        pass
    assert "`ulimit -n`" in raised.value.hint


def nothing() -> None:
    """What a child does that was forked for something else."""


def test_who_waits_for_a_lock_reads_in_the_log_for_whom(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with lock_file(tmp_path, "customer", 1), pytest.raises(LockTimeout):
        lock_file(tmp_path, "customer", 0.02).__enter__()
    holder = f"{os.uname().nodename}:{os.getpid()} has held it since"
    said = [record.getMessage() for record in caplog.records if record.name == "connform.state"]
    assert said[0].startswith(f"holds the lock {tmp_path / 'customer'}")
    assert (len(said), "waits for a lock" in said[1], holder in said[1]) == (2, True, True)


def test_a_lock_that_was_given_back_is_free_although_a_child_lives_on(tmp_path: Path) -> None:
    lock = lock_file(tmp_path, "customer", 1)
    lock.__enter__()
    with child(nothing):
        lock.__exit__(None, None, None)
        with lock_file(tmp_path, "customer", 0.2):
            assert (tmp_path / "customer").read_text().partition(" ")[0].endswith(f":{os.getpid()}")


def test_a_child_that_leaves_the_block_leaves_the_lock_to_its_parent(tmp_path: Path) -> None:
    lock = lock_file(tmp_path, "customer", 1)
    with lock, child(lambda: lock.__exit__(None, None, None)), pytest.raises(LockTimeout):
        lock_file(tmp_path, "customer", 0.2).__enter__()
    with lock_file(tmp_path, "customer", 0.2):
        pass


def test_a_lock_dies_with_its_holder_although_a_child_of_that_lives_on(tmp_path: Path) -> None:
    is_over, over = os.pipe()
    lock = lock_file(tmp_path, "customer", 1)

    def hold() -> None:
        lock.__enter__()
        if os.fork() == 0:
            os.close(over)
            os.read(is_over, 1)  # until the test closes its end
            os._exit(0)

    with child(hold) as holder:
        with pytest.raises(LockTimeout):
            lock_file(tmp_path, "customer", 0.2).__enter__()
        os.kill(holder, signal.SIGKILL)
        try:
            with lock_file(tmp_path, "customer", 5):
                assert (tmp_path / "customer").read_text().partition(" ")[0].endswith(f":{os.getpid()}")
        finally:
            os.close(over)
            os.close(is_over)
