"""Adds checks to what a state database records of connections: latest check, changes of verdict, hourly figures.

Layer 2, no IO of its own. The caller has the only transaction that does so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connform.database import check_rows, hour_rows
from connform.database.check_rows import CHECK_COLUMNS, CheckRow, check_of, reading_row
from connform.database.hour_rows import HOUR_COLUMNS, HourRow, hour_of
from connform.database.interface import Execute
from connform.database.sql_lists import placeholders, row_placeholders
from connform.recorded_checks import RecordedCheck

# The SQL is built from constants of this package, and of placeholders only.
_CHECKS = f"SELECT {', '.join(CHECK_COLUMNS)} FROM connform_checks WHERE connection IN ({{}})"  # noqa: S608  (as said above)
_HOURS = f"SELECT {', '.join(HOUR_COLUMNS)} FROM connform_hours WHERE hour BETWEEN ? AND ? AND connection IN ({{}})"  # noqa: S608  (the same)
_CHANGES = "INSERT INTO connform_verdicts (connection, at, verdict, fault) VALUES {} ON CONFLICT DO NOTHING"


def record_checks(execute: Execute, checks: Sequence[RecordedCheck]) -> None:
    """Record checks, sorted by connection and time; at most as many as one statement takes rows. One that is the latest already is left out.

    Raises:
        ConnectionFailed: `store_corrupt`, what is recorded already can't be read.
    """
    names = list(dict.fromkeys(check.connection for check in checks))
    stored = {row[0]: CheckRow._make(row) for row in execute(_CHECKS.format(placeholders(names)), names)}
    checks = [one for one in checks if (row := stored.get(one.connection)) is None or row.at != one.at.timestamp()]
    if not checks:
        return
    hours = [hour_of(check.at) for check in checks]
    stored_hours = execute(_HOURS.format(placeholders(names)), [min(hours), max(hours), *names])
    rows, changes = _latest(stored, checks)
    _write(execute, "connform_checks", CHECK_COLUMNS, 1, rows)
    figures = _hourly({(row[0], row[1]): HourRow._make(row) for row in stored_hours}, checks)
    _write(execute, "connform_hours", HOUR_COLUMNS, 2, figures)
    if changes:
        execute(_CHANGES.format(row_placeholders(changes)), [value for row in changes for value in row])


def _latest(
    stored: Mapping[str, CheckRow], checks: Sequence[RecordedCheck]
) -> tuple[Iterable[CheckRow], list[tuple[str, float, str, str]]]:
    """Return the rows with checks added, and the changes of verdict or fault."""
    rows, changes = dict(stored), list[tuple[str, float, str, str]]()
    results: dict[str, tuple[str, str]] = {}
    for name, row in stored.items():
        with reading_row(name):
            results[name] = row.verdict, check_of(row).fault
    for check in checks:
        name, result, before = check.connection, (check.verdict, check.fault), rows.get(check.connection)
        rows[name] = check_rows.with_check(before, check)
        if before is not None and rows[name].at == before.at:  # a late one
            continue
        if results.get(name) != result:
            changes.append((name, rows[name].at, *result))
        results[name] = result
    return rows.values(), changes


def _hourly(stored: Mapping[tuple[str, int], HourRow], checks: Sequence[RecordedCheck]) -> Iterable[HourRow]:
    """Return the rows of the hours of checks, with the checks added."""
    rows: dict[tuple[str, int], HourRow] = {}
    for check in checks:
        key = check.connection, hour_of(check.at)
        rows[key] = hour_rows.with_check(rows.get(key) or stored.get(key) or HourRow(*key), check)
    return rows.values()


def _write(execute: Execute, table: str, columns: Sequence[str], keys: int, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows, of which the first `keys` columns are the primary key, in place of those that are there."""
    new = list(rows)
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns[keys:])
    execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {row_placeholders(new)} "  # noqa: S608  (as said above)
        f"ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {changed}",
        [value for row in new for value in row],
    )
