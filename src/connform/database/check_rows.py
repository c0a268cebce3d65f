"""Rows of recorded checks in a state database: conversion, deletion and renaming; the same in every database.

Layer 2, no IO of its own. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from connform.database.grant_rows import time_of
from connform.database.hour_rows import HOUR_COLUMNS
from connform.errors import ConnectionFailed
from connform.recorded import Actor, UsedSecret
from connform.recorded_checks import RecordedCheck, VerdictChange

if TYPE_CHECKING:
    from connform.database.interface import Execute

CHECK_COLUMNS = ("connection", "at", "since", "verdict", "ready", "failed", "unknown", "latest")
_TABLES = ("connform_checks", "connform_verdicts", "connform_hours", "connform_schedule")
_COLUMNS_TO_RENAME = {
    "connform_checks": CHECK_COLUMNS,
    "connform_verdicts": ("connection", *VerdictChange._fields),
    "connform_hours": HOUR_COLUMNS,
}
_FIELDS = frozenset(RecordedCheck._fields)
_TEXTS = (
    *("provider", "environment", "region", "base_url", "auth_method", "verdict", "stage", "fault", "message", "hint"),
    *("certificate_expires_at", "grant_ends_at"),
)
"""The fields that are texts."""
VERDICTS = ("ready", "failed", "unknown")
"""What a recorded check can have found."""
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError)
"""What reading a row raises that somebody else has changed."""


class CheckRow(NamedTuple):
    """The checks of one connection, as they are stored: the latest, and how many there were."""

    connection: str
    """Its name."""
    at: float
    """When the latest ended."""
    since: float
    """Since when all checks had its verdict."""
    verdict: str
    """Its verdict."""
    ready: int
    """How many checks ever had this verdict; the others alike."""
    failed: int
    """As `ready`."""
    unknown: int
    """As `ready`."""
    latest: str
    """The latest check as JSON, without the connection's name."""


def with_check(row: CheckRow | None, check: RecordedCheck) -> CheckRow:
    """Return the row of a connection with one more check; `None` stands for no row. A late check counts, and changes nothing else."""
    at, verdict = check.at.timestamp(), check.verdict
    if row is None:
        row = CheckRow(check.connection, at, at, verdict, 0, 0, 0, "")
    counts = {each: getattr(row, each) + (verdict == each) for each in VERDICTS}
    if row.latest and at <= row.at:
        return row._replace(**counts)
    since = row.since if row.verdict == verdict else at
    return row._replace(at=at, since=since, verdict=verdict, latest=_to_json(check), **counts)


def check_of(row: CheckRow) -> RecordedCheck:
    """Return the latest check of a row; in a block `with reading_row`."""
    plain = json.loads(row.latest)
    plain["at"] = time_of(plain["at"])
    plain["by"] = Actor(**plain["by"])
    plain["tags"], plain["stages"] = tuple(plain["tags"]), tuple(plain["stages"])
    plain["secrets"] = tuple([UsedSecret(**secret) for secret in plain["secrets"]])
    known = {name: plain[name] for name in plain.keys() & _FIELDS}  # a newer version may have written more
    if known["verdict"] not in VERDICTS or not all(isinstance(known.get(name, ""), str) for name in _TEXTS):
        raise TypeError
    return RecordedCheck(row.connection, **known)


@contextmanager
def reading_row(connection: str) -> Iterator[None]:
    """Raise a `ConnectionFailed`, `store_corrupt`, where a row of a connection can't be read."""
    try:
        yield
    except _UNREADABLE:
        message = f"what is recorded of the checks of {connection} can't be read"
        raise ConnectionFailed("store_corrupt", message) from None


def _to_json(check: RecordedCheck) -> str:
    plain = check._asdict()
    del plain["connection"]  # stands in its column, where it can be renamed
    secrets = [secret._asdict() for secret in check.secrets]
    return json.dumps(plain | {"at": check.at.timestamp(), "by": check.by._asdict(), "secrets": secrets})


def delete_checks(execute: Execute, connection: str) -> None:
    """Delete what is recorded of the checks of a connection, in a transaction of the caller."""
    for table in _TABLES:
        execute(f"DELETE FROM {table} WHERE connection = ?", (connection,))  # noqa: S608  (constants)


def rename_checks(execute: Execute, old: str, new: str) -> None:
    """Give the checks of a connection another name, in a transaction of the caller.

    What is recorded under the new name already stays, and gets what is older: `monitor` may have seen the new name before `apply` renamed it.
    """
    for table, columns in _COLUMNS_TO_RENAME.items():
        others = ", ".join(columns[1:])
        execute(
            f"INSERT INTO {table} (connection, {others}) SELECT CAST(? AS TEXT), {others} FROM {table} "  # noqa: S608  (constants)
            "WHERE connection = ? ON CONFLICT DO NOTHING",
            (new, old),
        )
    delete_checks(execute, old)
