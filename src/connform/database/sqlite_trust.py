"""Protection against a SQLite file that somebody else made: schema check, limits of work and size.

Layer 2, no IO of its own. A SQLite file can hold programs: views, triggers and expressions of its schema run when tables are used.
Pages that refer to each other can make a small file endless to read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from connform.database.interface import Execute

_FIXED_WORK = 2_000_000
"""The number of SQLite instructions that a statement may take, besides one for each byte of the file. A row takes about fifteen."""
_FIXED_BYTES = 1_000_000
_BATCH_ROWS = 50
"""The number of rows that are read before their bytes are counted."""
_PREFIX = "connform_"
_SCHEMA = "SELECT user_version, type, name, tbl_name, sql FROM pragma_user_version LEFT JOIN sqlite_master ON true"


class ForeignSchemaError(sqlite3.DatabaseError):
    """The schema of the file is not the one that connform makes."""


def harden(connection: sqlite3.Connection) -> None:
    """Forbid unsafe functions in the schema, and detect damaged pages. Must be called before anything is read."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    set_config = getattr(connection, "setconfig", None)  # since Python 3.12
    if set_config:
        set_config(getattr(sqlite3, "SQLITE_DBCONFIG_DEFENSIVE"), True)  # noqa: B009, FBT003  (mypy knows 3.11; its signature)


def bounded_execute(connection: sqlite3.Connection, path: Path) -> Execute:
    """Return a function that executes SQL with limits of work and result size, which depend on the size of the file.

    Beyond the limits it raises `sqlite3.OperationalError` (SQLITE_INTERRUPT) or `sqlite3.DatabaseError`.
    """
    size = path.stat().st_size if path.exists() else 0
    connection.set_progress_handler(lambda: 1, _FIXED_WORK + size)

    def execute(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = connection.execute(sql, values)
        rows: list[tuple[Any, ...]] = []
        remaining = _FIXED_BYTES + size
        while batch := cursor.fetchmany(_BATCH_ROWS):
            rows += batch
            remaining -= sum(map(_length_of, zip(*batch, strict=True)))
            if remaining < 0:
                raise sqlite3.DatabaseError("there is more to read than its size allows")
        return rows

    return execute


def _length_of(column: Sequence[Any]) -> int:
    """Return the length of the texts and bytes in a column of a batch."""
    try:
        return len("".join(column))  # most columns are texts: a third of the time
    except TypeError:
        return sum([len(value) for value in column if type(value) is str or type(value) is bytes])


def verify_schema(execute: Execute, scripts: Sequence[str]) -> int:
    """Require that the schema of a file is what the scripts up to its version make; return that version.

    Plain tables and indexes of other programs (of a replication) are allowed. A version newer than the scripts is not checked.

    Raises:
        ForeignSchemaError: the schema is another one.
    """
    rows = execute(_SCHEMA)
    version: int = rows[0][0]
    expected = dict(_schema_of(tuple(scripts[:version])))
    for _, kind, name, table, sql in rows:
        if kind is None or (kind == "index" and sql is None):  # no schema at all; the index of a primary key
            continue
        is_ours = any(str(one).lower().startswith(_PREFIX) for one in (name, table))
        is_right = expected.pop(name, None) == sql if is_ours else kind in {"table", "index"} and _is_plain(sql)
        if not is_right and version <= len(scripts):
            raise ForeignSchemaError(f"it holds a {kind} {name} that connform didn't make")
    if expected and version <= len(scripts):
        raise ForeignSchemaError(f"it lacks {next(iter(expected))}")
    return version


@cache
def _schema_of(scripts: tuple[str, ...]) -> dict[str, str]:
    """Return the schema that scripts make: the name of each table and index → its SQL, as SQLite stores it."""
    with closing(sqlite3.connect(":memory:")) as memory:
        for script in scripts:
            memory.executescript(script)
        return dict(memory.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def _is_plain(sql: object) -> bool:
    return not str(sql).upper().startswith("CREATE VIRTUAL")
