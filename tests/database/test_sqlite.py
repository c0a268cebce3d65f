"""A store in a folder: permissions, links, damage, full and read-only disks."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest

from connform.database import open_grants, open_state
from connform.database.cipher import new_key
from connform.database.keys import key_file
from connform.database.sqlite import SqliteDatabase
from connform.errors import ConnectionFailed
from connform.grant import GrantStore, LockedGrant
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.database.conftest import begin_refresh, fill, grant, keep, tokens

DATABASE = "state.sqlite3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one grant, and the key beside it."""
    folder = tmp_path / ".connform"
    keep(open_grants("", folder, None), grant())
    return folder


def _overwrite(at: int, with_bytes: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with (folder / DATABASE).open("r+b") as file:
            file.seek(at)
            file.write(with_bytes)

    return damage


def _sql(statement: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
            database.execute(statement)

    return damage


def _link(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).rename(folder / "elsewhere")
        (folder / name).symlink_to(folder / "elsewhere")

    return damage


def _linked_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def _other_key(folder: Path) -> None:
    (folder / "key").write_text(new_key())


WRONG: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "database readable by all": (lambda folder: (folder / DATABASE).chmod(0o644), "store_insecure", "mode 0644"),
    "key readable by the group": (lambda folder: (folder / "key").chmod(0o640), "store_insecure", "mode 0640"),
    "folder open to others": (lambda folder: folder.chmod(0o755), "store_insecure", "mode 0755"),
    "database is a link": (_link(DATABASE), "store_insecure", "is a link"),
    "key is a link": (_link("key"), "store_insecure", "is a link"),
    "folder is a link": (_linked_folder, "store_insecure", "is not a folder"),
    "no database but text": (_overwrite(0, b"not a database at all"), "store_corrupt", "not a database"),
    "garbage inside": (_overwrite(4096, b"\xff" * 8192), "store_corrupt", "malformed"),
    "cut in half": (lambda folder: os.truncate(folder / DATABASE, 6000), "store_corrupt", "malformed"),
    "tokens changed": (_sql("UPDATE connform_grants SET sealed = x'00'"), "store_corrupt", "was changed"),
    "app changed": (_sql("UPDATE connform_grants SET client_id = 'evil'"), "store_corrupt", "was changed"),
    "endpoint changed": (_sql("UPDATE connform_grants SET token_url = 'https://evil'"), "store_corrupt", "was changed"),
    "revocation changed": (
        _sql("UPDATE connform_grants SET revoke_url = 'https://evil'"),
        "store_corrupt",
        "was changed",
    ),
    "newer schema": (_sql("PRAGMA user_version = 99"), "store_corrupt", "newer connform"),
    "key gone": (lambda folder: (folder / "key").unlink(), "store_key_wrong", "there is no key"),
    "another key": (_other_key, "store_key_wrong", "another key"),
    "key cut": (lambda folder: os.truncate(folder / "key", 10), "secret_malformed", "32 bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_the_files_is_said_and_nothing_is_mended(folder: Path, case: str) -> None:
    damage, fault, words = WRONG[case]
    damage(folder)
    with pytest.raises(ConnectionFailed) as caught:
        open_grants("", folder, None).read("customer")
    assert (caught.value.fault.name, words in caught.value.message) == (fault, True), caught.value.message
    assert_no_canary(caught.value.message)


def test_what_is_made_is_this_users_alone(folder: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
    journal = f"{DATABASE}-journal"
    assert modes == {
        ".connform": 0o700,
        ".gitignore": 0o600,
        DATABASE: 0o600,
        journal: 0o600,
        "key": 0o600,
        "locks": 0o700,
        "customer": 0o600,
    }


def test_no_token_is_in_the_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert_no_canary(content)
            assert API_KEY.encode() not in content
            assert AWKWARD.encode() not in content
    if strings := shutil.which("strings"):
        found = subprocess.run([strings, folder / DATABASE], check=True, capture_output=True).stdout
        assert b"acme-portal" in found
        assert_no_canary(found)


def _make_key(folder: Path, made: Any) -> None:
    made.put(key_file(folder, may_create=True).reveal())


def test_processes_that_make_a_key_at_once_agree(tmp_path: Path) -> None:
    context = get_context("spawn")
    made = context.Queue()
    processes = [context.Process(target=_make_key, args=(tmp_path / ".connform", made)) for _ in range(4)]
    for process in processes:
        process.start()
    keys = {made.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(keys) == 1
    assert {path.name for path in (tmp_path / ".connform").iterdir()} == {"key"}


# Disks that take nothing more. Real file systems: mounting them needs root.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", disk], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture
def kept(small_disk: Path) -> GrantStore:
    secret = Secret(new_key())
    store = open_grants("", small_disk / ".connform", lambda: secret)
    keep(store, grant())
    return store


@pytest.mark.parametrize("step", [begin_refresh, lambda locked: locked.check_writable()], ids=["begin", "check"])
def test_a_full_disk_is_noticed_before_a_token_is_spent(
    small_disk: Path, kept: GrantStore, step: Callable[[LockedGrant], object]
) -> None:
    fill(small_disk)
    with pytest.raises(ConnectionFailed) as caught, kept.lock("customer", 5) as locked:
        step(locked)
    assert caught.value.fault.name == "store_unwritable"
    assert "full" in caught.value.message
    assert tokens(kept.read("customer")) == (API_KEY, AWKWARD)


def test_a_disk_that_fills_behind_the_journal_entry_still_takes_the_record(small_disk: Path, kept: GrantStore) -> None:
    with kept.lock("customer", 5) as locked:
        begin_refresh(locked)
        fill(small_disk)
        locked.write(grant(scopes=("renewed",)))
    found = kept.read("customer")
    assert found is not None
    assert found.facts.scopes == ("renewed",)


def test_a_read_only_disk_is_read_and_not_written(small_disk: Path, kept: GrantStore) -> None:
    kept.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert tokens(kept.read("customer")) == (API_KEY, AWKWARD)
    with pytest.raises(ConnectionFailed) as caught, kept.lock("customer", 5) as locked:
        begin_refresh(locked)
    assert caught.value.fault.name == "store_unwritable"


@pytest.mark.parametrize(
    ("url", "fault", "words"),
    [
        ("redis://host", "config_invalid", "no known scheme"),
        ("just-a-folder", "config_invalid", "no known scheme"),
        ("redis://user:hunter2@host/db", "config_invalid", "no known scheme"),
    ],
)
def test_what_names_no_store_is_refused_and_never_echoed(tmp_path: Path, url: str, fault: str, words: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        open_grants(url, tmp_path, None)
    assert (caught.value.fault.name, words in caught.value.message) == (fault, True)
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_folder_can_be_named(tmp_path: Path) -> None:
    keep(open_grants(f"sqlite:///{tmp_path}/state", tmp_path / "default", None), grant())
    assert (tmp_path / "state" / DATABASE).exists()


@pytest.mark.parametrize(
    "hold",
    [
        lambda url, folder: open_grants(url, folder, None).lock("customer", 1),
        lambda url, folder: open_state(url, folder).lock_parts(["00"], 1),
    ],
    ids=["grants", "states"],
)
def test_a_folder_above_that_is_missing_is_said_and_not_made(tmp_path: Path, hold: Any) -> None:
    with pytest.raises(ConnectionFailed) as caught, hold(f"sqlite://{tmp_path}/typo/state", tmp_path):
        pass
    assert caught.value.fault.name == "store_unwritable"
    assert f"there is no folder {tmp_path}/typo" in caught.value.message
    assert "--state" in caught.value.hint
    assert not (tmp_path / "typo").exists()


_BEGIN = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_a_second_user_in_this_process_takes_no_lock_from_the_first(folder: Path) -> None:
    """State and grants lie in one file: whoever opens it must not end the transaction of the other (fcntl(2))."""
    first = open_state("", folder)
    with closing(first), first._database.writing() as execute:
        execute("DELETE FROM connform_connections")
        with closing(open_grants("", folder, None)) as second:
            assert next(second.facts()).connection == "customer"
            other = subprocess.run(
                [sys.executable, "-c", _BEGIN, folder / DATABASE], capture_output=True, text=True, check=True
            )
    assert other.stdout == "database is locked\n"


def test_whoever_writes_without_end_on_a_slow_disk_lets_others_read(folder: Path) -> None:
    writes, is_over = 0, Event()

    def write() -> None:
        nonlocal writes
        with closing(SqliteDatabase(folder)) as database:
            with database.reading() as execute:
                assert execute
                execute("PRAGMA cache_size = 1")  # pages that don't fit are written at once, and lock readers out
            while not is_over.is_set():
                with database.writing() as execute:
                    for number in range(20):
                        execute("REPLACE INTO connform_meta VALUES (?, zeroblob(8192))", (f"test-{number}",))
                    sleep(0.03)
                writes += 1

    with ThreadPoolExecutor(1) as threads:
        writer = threads.submit(write)
        try:
            for _ in range(10):
                before = writes
                while writes < before + 2:
                    sleep(0.001)
                with closing(SqliteDatabase(folder)) as database, database.reading() as execute:
                    assert execute
                    assert execute("SELECT count(*) FROM connform_grants") == [(1,)]
        finally:
            is_over.set()
        writer.result()
    assert writes < 300, "a reader finds a gap among ten transactions, not among a hundred"
