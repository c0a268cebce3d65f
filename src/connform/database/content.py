"""The content of a state database that is not sealed: its tables, and copying their rows to another database.

Layer 2, no IO of its own. Rows are read and written in pages, so that memory doesn't grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from connform.database.check_rows import CHECK_COLUMNS
from connform.database.hour_rows import HOUR_COLUMNS
from connform.database.interface import Execute
from connform.database.record_rows import COLUMNS, FORMER
from connform.database.sql_lists import row_placeholders
from connform.recorded_checks import VerdictChange

Row = tuple[Any, ...]
_PAGE_ROWS = 500
_MAX_VALUES = 999
"""The most values that SQLite takes in one statement."""


class ContentTable(NamedTuple):
    """A table, or a part of one."""

    name: str
    """Its name."""
    columns: tuple[str, ...]
    """Its columns; those of the primary key come first, the first of them is a text."""
    key_columns: int = 1
    """How many columns the primary key has."""
    condition: str = "true"
    """Which rows."""
    conflict: str = ""
    """What to do with a row that is there already, `ON CONFLICT …`; by default it is an error."""


RECORDS = ContentTable("connform_connections", COLUMNS)
HISTORY = ContentTable("connform_history", ("connection", "at", "attempt"), 2)
FORMER_SPECS = ContentTable(
    "connform_meta",
    ("name", "value"),
    condition=f"substr(name, 1, {len(FORMER)}) = '{FORMER}'",
    conflict="ON CONFLICT DO NOTHING",  # a connection that moved to another folder left the same in both
)
CHECKS = ContentTable("connform_checks", CHECK_COLUMNS)
VERDICTS = ContentTable("connform_verdicts", ("connection", *VerdictChange._fields), 2)
HOURS = ContentTable("connform_hours", HOUR_COLUMNS, 2)
CONTENT = (RECORDS, HISTORY, FORMER_SPECS, CHECKS, VERDICTS, HOURS)
"""All that is not sealed, except the schedule of `monitor`, which it makes anew."""


def has_rows(execute: Execute, table: ContentTable) -> bool:
    """Whether there are any."""
    return bool(execute(f"SELECT 1 FROM {table.name} WHERE {table.condition} LIMIT 1"))  # noqa: S608  (constants)


def delete_rows(execute: Execute, table: ContentTable) -> None:
    """Delete all of them."""
    execute(f"DELETE FROM {table.name} WHERE {table.condition}")  # noqa: S608  (constants)


def copy_rows(source: Execute, target: Execute, table: ContentTable, change: Callable[[Row], Row] | None = None) -> int:
    """Insert all rows of a table of one database into that of another, and return how many they are.

    Args:
        source: reads the rows, and sees the same ones until the end.
        target: writes them, into a table that has none of them.
        table: the table.
        change: returns the row to write for one that was read.
    """
    key = ", ".join(table.columns[: table.key_columns])
    select = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {table.condition}"  # noqa: S608  (constants)
    following = f" AND ({key}) > ({', '.join('?' * table.key_columns)})"
    count = 0
    last: Row = ()
    while rows := source(f"{select}{following if last else ''} ORDER BY {key} LIMIT {_PAGE_ROWS}", last):
        insert(target, table.name, table.columns, list(map(change, rows)) if change else rows, table.conflict)
        count, last = count + len(rows), rows[-1][: table.key_columns]
    return count


def insert(execute: Execute, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> None:
    """Insert rows, many with one statement.

    Args:
        execute: executes SQL in the caller's transaction.
        table: its name.
        columns: their names.
        rows: the values of the columns.
        conflict: a clause `ON CONFLICT …`; by default a row that is there already is an error.
    """
    for batch in _batches(rows, _MAX_VALUES // len(columns)):
        values = [value for row in batch for value in row]
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {row_placeholders(batch)}"  # noqa: S608  (constants)
        execute(f"{into} {conflict}", values)


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
