"""Reads what a state database records of the checks of connections.

Layer 2, no IO of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connform.database.check_rows import CHECK_COLUMNS, VERDICTS, CheckRow, check_of, reading_row
from connform.database.grant_rows import time_of
from connform.database.hour_rows import HourRow, figures_of
from connform.database.interface import Execute
from connform.database.sql_lists import placeholders
from connform.recorded_checks import CheckHistory, HourlyFigures, VerdictChange

Part = TypeVar("Part")
# The SQL is built from constants of this package, and of placeholders only.
_CHECKS = f"SELECT {', '.join(CHECK_COLUMNS)} FROM connform_checks WHERE connection IN ({{}}) ORDER BY connection"  # noqa: S608  (as said above)
_PARTS = (
    "SELECT part.* FROM connform_checks JOIN {table} AS part ON part.connection = connform_checks.connection "
    "AND part.{time} >= coalesce((SELECT {time} FROM {table} AS latest WHERE latest.connection = "
    "connform_checks.connection ORDER BY {time} DESC LIMIT 1 OFFSET ?), 0) "
    "WHERE connform_checks.connection IN ({names}) ORDER BY part.connection, part.{time}"
)
_ALL = 1_000_000_000
"""More than there are rows of one connection."""


def read_histories(
    execute: Execute, names: Sequence[str], *, with_hours: bool, at_most: int | None
) -> dict[str, CheckHistory]:
    """Return what is recorded of the checks of some connections; arguments as for `CheckTable.histories`.

    Raises:
        ConnectionFailed: `store_corrupt`, a row can't be read.
    """
    changes = _parts(execute, ("connform_verdicts", "at"), names, at_most, _change_of)
    hours = _parts(execute, ("connform_hours", "hour"), names, at_most if with_hours else 0, _figures_of)
    rows = [CheckRow._make(row) for row in execute(_CHECKS.format(placeholders(names)), names)]
    found: dict[str, CheckHistory] = {}
    for row in rows:
        name = row.connection
        with reading_row(name):
            counts = {"ready": row.ready, "failed": row.failed, "unknown": row.unknown}
            parts = tuple(changes.get(name, ())), tuple(hours.get(name, ()))
            found[name] = CheckHistory(check_of(row), time_of(row.since), counts, *parts)
    return found


def _parts(
    execute: Execute,
    source: tuple[str, str],
    names: Sequence[str],
    at_most: int | None,
    part_of: Callable[[Sequence[Any]], Part],
) -> dict[str, list[Part]]:
    """Return what a table, whose time is in a column, holds of some connections: by name, the oldest first."""
    if at_most == 0:
        return {}
    sql = _PARTS.format(table=source[0], time=source[1], names=placeholders(names))
    found: dict[str, list[Part]] = {}
    for row in execute(sql, (_ALL if at_most is None else at_most - 1, *names)):
        with reading_row(row[0]):
            found.setdefault(row[0], []).append(part_of(row))
    return found


def _change_of(row: Sequence[Any]) -> VerdictChange:
    _, at, verdict, fault = row
    if verdict not in VERDICTS:
        raise ValueError(verdict)
    return VerdictChange(time_of(at), verdict, fault)


def _figures_of(row: Sequence[Any]) -> HourlyFigures:
    return figures_of(HourRow._make(row))
