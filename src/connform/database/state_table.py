"""The table of applied records in a state database: the latest attempt of each connection, and its history.

Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL and holds the locks. Reading needs no lock and no key.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from connform.database.copy_marks import CopiedTo, read_marks, require_not_copied
from connform.database.interface import CHECKS_SCHEMA, GRANTS_SCHEMA, TOKENS_SCHEMA, Database, LockTimeout
from connform.database.record_rows import FORMER, attempt_from_json, decode_all, decode_specs, decode_text, summary_of
from connform.errors import ConnectionFailed
from connform.lazy_property import lazy_property
from connform.recorded import Applied, AppliedRecord, Attempt, RecordSummary, StateRow

if TYPE_CHECKING:
    from connform.database.check_table import CheckTable
    from connform.database.state_changes import StateChanges
    from connform.grant import GrantFacts

# The SQL is built from constants of this package only.
_READ = "SELECT connection, file, digest, spec, latest FROM connform_connections ORDER BY connection"
_SUMMARIES = "SELECT connection, file, digest, is_applied, fault FROM connform_connections ORDER BY connection"
_APPLIED = "SELECT connection, file, digest, is_applied, fault, spec FROM connform_connections ORDER BY connection"
_LIST_ROWS = (
    "SELECT connection, verdict, fault, latency_ms, certificate_expires_at, tried_at, tried_by "
    "FROM connform_connections ORDER BY connection"
)
_READ_ONE = "SELECT connection, file, digest, spec, latest FROM connform_connections WHERE connection = ?"
_HISTORIES = "SELECT connection, attempt FROM connform_history ORDER BY connection, at"
_HISTORY = "SELECT attempt FROM connform_history WHERE connection = ? ORDER BY at"
_SPECIFICATIONS = "SELECT connection, spec FROM connform_connections ORDER BY connection"
_READ_FORMER = f"SELECT name, value FROM connform_meta WHERE name LIKE '{FORMER}%' ORDER BY name"  # noqa: S608  (a constant)


class StateTable:
    """The applied records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        """The name of the database in messages; without a password."""

    @lazy_property
    def checks(self) -> CheckTable:
        """The recorded checks in the same database."""
        from connform.database.check_table import CheckTable

        return CheckTable(self._database)

    def schema(self) -> int:
        """Return the version of the schema of the database; 0 if nothing was written yet. Errors as for `summaries`."""
        for version in (CHECKS_SCHEMA, TOKENS_SCHEMA, GRANTS_SCHEMA):
            with self._database.reading(version) as execute:
                if execute:
                    return version
        return 0

    def summaries(self) -> dict[str, RecordSummary]:
        """Return the record summary of each connection, by name: enough to decide whether there is a change.

        Raises:
            ConnectionFailed: a fault of the state database.
        """
        return {name: summary_of(*columns) for name, *columns in self._rows(_SUMMARIES)}

    def applied(self, only: Container[str]) -> dict[str, Applied]:
        """Return the summaries and specifications of the connections in `only`, by name; errors as for `summaries`."""
        rows = [row for row in self._rows(_APPLIED) if row[0] in only]
        specs = decode_specs([(row[0], row[-1]) for row in rows])
        return {
            name: Applied(name, summary_of(*columns), spec)
            for (name, *columns, _), spec in zip(rows, specs, strict=True)
        }

    def specifications(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return names and recorded specifications, current and former ones; errors as for `summaries`."""
        with self._database.reading() as execute:
            rows = execute(_SPECIFICATIONS) if execute else []
            # read second, so that a specification that becomes a former one meanwhile is not missed
            former = execute(_READ_FORMER) if execute else []
        rows += [(name.split(" ")[1], bytes(value).decode()) for name, value in former]
        return list(zip([name for name, _ in rows], decode_specs(rows), strict=True))

    def repository(self) -> dict[str, str]:
        """Return the identity of the repository to which the database belongs; empty if none was recorded."""
        from connform.database.state_changes import repository_of  # imported here for start-up: a list needs none

        with self._database.reading() as execute:
            return repository_of(execute) if execute else {}

    def copied_to(self) -> CopiedTo | None:
        """Return where the database was copied to; `None` while it is in use. Errors as for `summaries`."""
        with self._database.reading() as execute:
            return read_marks(execute).copied_to if execute else None

    def require_in_use(self) -> None:
        """Require that the database was not copied to another one; errors as for `require_not_copied`."""
        with self._database.reading() as execute:
            if execute:
                require_not_copied(execute, self.place)

    def grants(self) -> dict[str, GrantFacts]:
        """Return the facts of every grant in the same database, by connection. Needs no key. Errors as for `summaries`."""
        from connform.database.grant_rows import READ_FACTS, stored_facts  # as above

        return {facts.connection: facts for facts in map(stored_facts, self._rows(READ_FACTS))}

    def list_rows(self) -> list[StateRow]:
        """Return one row for each connection, for `state list`, sorted by name; errors as for `summaries`."""
        return self._rows(_LIST_ROWS)

    def read(self, only: Container[str] | None = None) -> dict[str, AppliedRecord]:
        """Return the applied records of the connections in `only`, by default of all, by name; errors as for `summaries`."""
        rows = [row for row in self._rows(_READ) if only is None or row[0] in only]
        specs, attempts = decode_specs([(row[0], row[3]) for row in rows]), decode_all(row[4] for row in rows)
        return {
            name: AppliedRecord(name, decode_text(file), digest, spec, attempt_from_json(latest))
            for (name, file, digest, _, _), spec, latest in zip(rows, specs, attempts, strict=True)
        }

    def record(self, connection: str) -> AppliedRecord | None:
        """Return the applied record of a connection, or `None`; errors as for `summaries`."""
        for name, file, digest, *texts in self._rows(_READ_ONE, connection):
            (spec,), (latest,) = decode_specs([(name, texts[0])]), decode_all(texts[1:])
            return AppliedRecord(name, decode_text(file), digest, spec, attempt_from_json(latest))
        return None

    def history(self, connection: str) -> list[Attempt]:
        """Return the recorded attempts of a connection, the oldest first; errors as for `summaries`."""
        return list(map(attempt_from_json, decode_all(text for (text,) in self._rows(_HISTORY, connection))))

    def histories(self) -> dict[str, list[Attempt]]:
        """Return the recorded attempts of every connection, by name."""
        rows = self._rows(_HISTORIES)
        found: dict[str, list[Attempt]] = {}
        for (name, _), attempt in zip(rows, decode_all(text for _, text in rows), strict=True):
            found.setdefault(name, []).append(attempt_from_json(attempt))
        return found

    def _rows(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with self._database.reading() as execute:
            return execute(sql, values) if execute else []

    @contextmanager
    def lock_parts(self, parts: Iterable[str], timeout_s: float) -> Iterator[StateChanges]:
        """Lock parts of the state; yield the right to change the records of their connections.

        Args:
            parts: names of parts, sorted: all processes must lock them in the same order.
            timeout_s: how long to wait for all of them.

        Raises:
            ConnectionFailed: `store_locked`, with the holder in the message; another fault of the state database.
        """
        from connform.database.state_changes import StateChanges  # as above

        try:
            names = [
                f"+state.{part}" for part in parts
            ]  # `+` is not allowed in the name of a connection, which locks a grant
            with self._database.lock_all(names, timeout_s) as writing:
                yield StateChanges(writing, names[0])
        except LockTimeout as timeout:
            message = f"the state in {self.place} was not free within {round(timeout_s, 1):g} s: {timeout}"
            hint = "wait for the other run, or give --lock-timeout more time; the lock of a dead process frees itself"
            raise ConnectionFailed("store_locked", message, hint) from None

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()
