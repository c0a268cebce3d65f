"""A SQLite file that somebody else made runs nothing, and keeps nobody busy."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_grants, open_state
from connform.errors import ConnectionFailed
from tests.database.conftest import grant, keep

DATABASE = "state.sqlite3"
COLUMNS = "connection, file, digest, is_applied, verdict, fault, latency_ms, certificate_expires_at, tried_at, tried_by, spec, latest"
WITHOUT_END = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one grant."""
    folder = tmp_path / ".connform"
    keep(open_grants("", folder, None), grant())
    return folder


def _sql(*statements: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    return change


def _anew(script: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / DATABASE).unlink()
        with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
            database.executescript(script)
        (folder / DATABASE).chmod(0o600)

    return change


def _pages_that_lead_to_each_other(folder: Path, value_bytes: int) -> None:
    """Let the index of grants name one row 100^12 times: each of its pages leads a hundred times to the next one."""
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
        database.execute("UPDATE connform_grants SET client_id = ?, sealed = x''", ["x" * value_bytes])
        found = "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_connform_grants_1'"
        (root,) = database.execute(found).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray((folder / DATABASE).read_bytes())
    leaf = content[(root - 1) * size : root * size]  # sqlite.org/fileformat2.html#b_tree_pages
    row = leaf[int.from_bytes(leaf[8:10]) :]
    pages = [root, *range(len(content) // size + 1, len(content) // size + 12)]
    content += bytes(size * 11)
    for page, following in pairwise(pages):
        cells = (following.to_bytes(4) + row) * 100
        start = size - len(cells)
        head = struct.pack(">BHHHBI", 2, 0, 100, start, 0, following)
        head += struct.pack(">100H", *range(start, size, 4 + len(row)))
        content[(page - 1) * size : page * size] = head.ljust(start, b"\0") + cells
    content[(pages[-1] - 1) * size : pages[-1] * size] = leaf
    struct.pack_into(">I", content, 28, len(content) // size)
    (folder / DATABASE).write_bytes(content)


def _big_values(folder: Path) -> None:
    columns = COLUMNS.replace("connection, ", "")
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
        database.execute("DROP TABLE connform_connections")
        database.execute(
            f"CREATE VIEW connform_connections AS SELECT i AS connection, {', '.join(f'zeroblob(1000000) AS {one.strip()}' for one in columns.split(','))} FROM ({WITHOUT_END} FROM n)"
        )


HOSTILE: dict[str, Callable[[Path], object]] = {
    "a view without end": _sql(
        "DROP TABLE connform_connections",
        f"CREATE VIEW connform_connections AS SELECT {', '.join(f'i AS {name.strip()}' for name in COLUMNS.split(','))} FROM ({WITHOUT_END} FROM n)",
        "ALTER TABLE connform_grants RENAME TO other",
        "CREATE VIEW connform_grants AS SELECT * FROM other, connform_connections",
    ),
    "a view of large values": _big_values,
    "a trigger": _sql(
        "CREATE TRIGGER t BEFORE DELETE ON connform_meta BEGIN INSERT INTO connform_meta VALUES ('x', 'y'); END"
    ),
    "a trigger of another table": _sql(
        "CREATE TABLE other (a)", "CREATE TRIGGER t INSERT ON other BEGIN DELETE FROM connform_meta; END"
    ),
    "a computed column": _sql(
        "DROP TABLE connform_meta",
        "CREATE TABLE connform_meta (name TEXT PRIMARY KEY, value BLOB AS (zeroblob(900000000)))",
    ),
    "an index of an expression": _sql("CREATE INDEX i ON connform_meta (hex(zeroblob(1000)))"),
    "a virtual table": _sql("CREATE VIRTUAL TABLE search USING fts5(a)"),
    "another table in place of ours": _sql(
        "DROP TABLE connform_grants", "CREATE TABLE Connform_Grants (connection, sealed)"
    ),
    "no tables": _anew("PRAGMA user_version = 2"),
    "tables without a version": _sql("PRAGMA user_version = 0"),
    "a version without its tables": _sql("PRAGMA user_version = 1"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_called_damaged_at_once(folder: Path, case: str) -> None:
    HOSTILE[case](folder)
    content = (folder / DATABASE).read_bytes()
    for use in (
        lambda: open_grants("", folder, None).read("customer"),
        lambda: list(open_grants("", folder, None).facts()),
        lambda: keep(open_grants("", folder, None), grant()),
        lambda: open_state("", folder).read(),
    ):
        with pytest.raises(ConnectionFailed, match=r"didn't make|lacks") as caught:
            use()
        assert caught.value.fault.name == "store_corrupt"
    assert (folder / DATABASE).read_bytes() == content


@pytest.mark.parametrize("value_bytes", [0, 3000])
def test_more_than_a_file_has_room_for_is_not_read(folder: Path, value_bytes: int) -> None:
    _pages_that_lead_to_each_other(folder, value_bytes)
    with pytest.raises(ConnectionFailed, match="there is more to read than its size allows") as caught:
        list(open_grants("", folder, None).facts())
    assert caught.value.fault.name == "store_corrupt"


def test_the_tables_of_a_replication_are_left_alone(folder: Path) -> None:
    _sql("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")(folder)
    assert open_grants("", folder, None).read("customer") is not None


@pytest.mark.parametrize("spec", ["no JSON", "1], [2", "[" * 100_000, "1, 2"])
def test_a_record_that_is_no_json_is_damage(tmp_path: Path, spec: str) -> None:
    folder = tmp_path / ".connform"
    keep(open_grants("", folder, None), grant())
    row: list[Any] = ["a", "f", "d", 1, "ready", "", 1.0, "", "", "", spec, json.dumps({})]
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
        database.execute(f"INSERT INTO connform_connections ({COLUMNS}) VALUES ({','.join('?' * 12)})", row)
    for use in (open_state("", folder).read, lambda: open_state("", folder).record("a")):
        with pytest.raises(ConnectionFailed, match="what is recorded of a connection can't be read"):
            use()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o200, 0o000])
def test_a_folder_that_can_not_be_entered_is_no_internal_error(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    for use in (
        lambda: open_state("", folder).read(),
        lambda: open_grants("", folder, None).read("customer"),
        lambda: keep(open_grants("", folder, None), grant()),
    ):
        with pytest.raises(ConnectionFailed, match=f"can't be entered: its mode is {mode:04o}") as caught:
            use()
        assert (caught.value.fault.name, caught.value.hint[:10]) == ("store_unwritable", "chmod 0700")
    folder.chmod(0o700)


def test_a_pipe_in_place_of_the_key_or_a_lock_holds_up_nobody(folder: Path) -> None:
    for name in ("key", "locks/customer"):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name, 0o600)
        with pytest.raises(ConnectionFailed, match="is not a regular file"):
            keep(open_grants("", folder, None), grant())
        (folder / name).unlink()


def test_a_key_is_made_although_a_killed_process_left_its_draft(folder: Path) -> None:
    (folder / "key").unlink()
    (folder / DATABASE).unlink()
    (folder / f".key.{os.getpid()}.tmp").touch(0o600)
    keep(open_grants("", folder, None), grant())
    assert (folder / "key").exists()
