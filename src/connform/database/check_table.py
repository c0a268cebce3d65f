"""The tables of recorded checks in a state database: the latest check of each connection, changes of verdict, hourly figures.

Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL. Needs no key. Reading leaves an older database as it is: it has no checks.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from connform.database.interface import CHECKS_SCHEMA, Database
from connform.database.sql_lists import batches

if TYPE_CHECKING:
    from connform.recorded_checks import CheckHistory, RecordedCheck

_LOCK = (
    "INSERT INTO connform_meta (name, value) VALUES ('checks', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = connform_meta.value RETURNING value"
)
"""Lets one process at a time add to what is recorded, until the end of its transaction; returns the hour of the last deletion."""
_SET_HOUR = "UPDATE connform_meta SET value = ? WHERE name = 'checks'"
_DELETE_OLD = (
    ("DELETE FROM connform_checks WHERE at < ?", 1),
    ("DELETE FROM connform_verdicts WHERE at < ?", 1),
    ("DELETE FROM connform_hours WHERE hour < ?", 3600),
)
"""Statements, and the unit of their time in seconds."""
_NAMES = "SELECT connection FROM connform_checks ORDER BY connection"
LATEST = 48
"""How many of the latest changes and hourly figures a report of a check, a list or a record has; a history has all."""


class CheckTable:
    """The recorded checks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        """The name of the database in messages; without a password."""

    def record(self, checks: Sequence[RecordedCheck], *, keep: timedelta) -> None:
        """Record checks in one durable transaction; once an hour, delete what is older than `keep` before the newest of them.

        A check that ended before the latest that is recorded counts, and is in the figures of its hour; it changes nothing else.

        Args:
            checks: results of checks, with verdicts other than `skipped`; several of one connection are allowed.
            keep: for how long to keep changes of verdict, hourly figures, and connections that nobody checks any more.

        Raises:
            ConnectionFailed: a fault of the state database; nothing was recorded.
        """
        if not checks:
            return
        from connform.database.check_recording import record_checks  # a list needs neither
        from connform.database.hour_rows import hour_of

        newest = max(check.at for check in checks)
        hour = str(hour_of(newest)).encode()
        with self._database.writing() as execute:
            ((last_hour,),) = execute(_LOCK, (b"",))
            for batch in batches(sorted(checks, key=lambda check: (check.connection, check.at))):
                record_checks(execute, batch)
            if bytes(last_hour) != hour:
                for statement, unit_s in _DELETE_OLD:
                    execute(statement, ((newest - keep).timestamp() // unit_s,))
                execute(_SET_HOUR, (hour,))

    def histories(
        self, only: Container[str] | None = None, *, with_hours: bool = True, at_most: int | None = None
    ) -> dict[str, CheckHistory]:
        """Return what is recorded of the checks of each connection, by name.

        Args:
            only: which connections; by default all that were checked.
            with_hours: whether to read the hourly figures, which are many.
            at_most: how many of the latest changes, and of the latest hourly figures, of each connection; by default all.

        Raises:
            ConnectionFailed: a fault of the state database.
        """
        found: dict[str, CheckHistory] = {}
        with self._database.reading(CHECKS_SCHEMA) as execute:
            if execute:
                names = [name for (name,) in execute(_NAMES) if only is None or name in only]
                for batch in batches(names):
                    from connform.database.check_reading import read_histories  # most databases have no checks

                    found |= read_histories(execute, batch, with_hours=with_hours, at_most=at_most)
        return found

    def forget(self, names: Iterable[str]) -> None:
        """Delete what is recorded of the checks of connections. A database that has no tables of checks is not written.

        Raises:
            ConnectionFailed: a fault of the state database; nothing was deleted.
        """
        with self._database.reading(CHECKS_SCHEMA) as execute:
            if not execute:
                return
        from connform.database.check_rows import delete_checks

        with self._database.writing() as execute:
            for name in names:
                delete_checks(execute, name)

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()
