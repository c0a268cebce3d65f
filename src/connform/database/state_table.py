"""The table of applied records in a state database: the latest attempt of each connection, and its history.

Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL and holds the locks. Reading needs no lock and no key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from connform.database.check_rows import delete_checks
from connform.database.copy_marks import CopiedTo, read_marks, require_not_copied
from connform.database.grant_rows import DELETE_META, READ_FACTS, READ_META, SET_META, stored_facts
from connform.database.interface import CHECKS_SCHEMA, GRANTS_SCHEMA, TOKENS_SCHEMA, Database, Execute, LockTimeout
from connform.database.token_rows import delete_token
from connform.errors import ConnectionFailed
from connform.grant import GrantFacts
from connform.lazy_property import lazy_property
from connform.recorded import Actor, Applied, AppliedRecord, Attempt, EarlierSpec, RecordSummary, StateRow, UsedSecret

if TYPE_CHECKING:
    from connform.database.check_table import CheckTable

MAX_ATTEMPTS = 100
"""The most attempts in the history of a connection; older ones are deleted."""
COLUMNS = (
    *("connection", "file", "digest", "is_applied"),
    *("verdict", "fault", "latency_ms", "certificate_expires_at", "tried_at", "tried_by"),
    *("spec", "latest"),
)
"""The columns of the table of records."""
# The SQL is built from constants of this package only.
_READ = "SELECT connection, file, digest, spec, latest FROM connform_connections ORDER BY connection"
_SUMMARIES = "SELECT connection, file, digest, is_applied, fault FROM connform_connections ORDER BY connection"
_APPLIED = "SELECT connection, file, digest, is_applied, fault, spec FROM connform_connections ORDER BY connection"
_LIST_ROWS = (
    "SELECT connection, verdict, fault, latency_ms, certificate_expires_at, tried_at, tried_by "
    "FROM connform_connections ORDER BY connection"
)
_READ_ONE = "SELECT connection, file, digest, spec, latest FROM connform_connections WHERE connection = ?"
_WRITE = (
    f"INSERT INTO connform_connections ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608  (as said above)
    f"ON CONFLICT (connection) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
_DELETE = (
    "DELETE FROM connform_connections WHERE connection = ?",
    "DELETE FROM connform_history WHERE connection = ?",
)
_HISTORIES = "SELECT connection, attempt FROM connform_history ORDER BY connection, at"
_HISTORY = "SELECT attempt FROM connform_history WHERE connection = ? ORDER BY at"
_ADD_ATTEMPT = "INSERT INTO connform_history (connection, at, attempt) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
DELETE_OLD_ATTEMPTS = (
    "DELETE FROM connform_history WHERE connection = ? AND at < "
    "(SELECT at FROM connform_history WHERE connection = ? ORDER BY at DESC LIMIT 1 OFFSET ?)"
)
_SPECIFICATIONS = "SELECT connection, spec FROM connform_connections ORDER BY connection"
FORMER = "former "
"""The prefix of the names of former specifications in `connform_meta`; the name of the connection follows, then a digest. Older
versions of connform that use the same database ignore them."""
_READ_FORMER = f"SELECT name, value FROM connform_meta WHERE name LIKE '{FORMER}%' ORDER BY name"  # noqa: S608  (a constant)
_ADD_FORMER = "INSERT INTO connform_meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ATTEMPT_BYTES = 3 * 1024
"""About the size of an attempt in a record and in the history, with their indexes."""
_MAX_PLACEHOLDER_BYTES = 64 * 1024 * 1024
_REPOSITORY = "repository"
_PARTS = {"settings", "base_url", "stores"}
"""What every specification has."""
_FIELDS = frozenset(Attempt._fields)


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
        return {name: _summary(*columns) for name, *columns in self._rows(_SUMMARIES)}

    def applied(self, only: Container[str]) -> dict[str, Applied]:
        """Return the summaries and specifications of the connections in `only`, by name; errors as for `summaries`."""
        rows = [row for row in self._rows(_APPLIED) if row[0] in only]
        specs = _decode_specs([(row[0], row[-1]) for row in rows])
        return {
            name: Applied(name, _summary(*columns), spec) for (name, *columns, _), spec in zip(rows, specs, strict=True)
        }

    def specifications(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return names and recorded specifications, current and former ones; errors as for `summaries`."""
        with self._database.reading() as execute:
            rows = execute(_SPECIFICATIONS) if execute else []
            # read second, so that a specification that becomes a former one meanwhile is not missed
            former = execute(_READ_FORMER) if execute else []
        rows += [(name.split(" ")[1], bytes(value).decode()) for name, value in former]
        return list(zip([name for name, _ in rows], _decode_specs(rows), strict=True))

    def repository(self) -> dict[str, str]:
        """Return the identity of the repository to which the database belongs; empty if none was recorded."""
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
        return {facts.connection: facts for facts in map(stored_facts, self._rows(READ_FACTS))}

    def list_rows(self) -> list[StateRow]:
        """Return one row for each connection, for `state list`, sorted by name; errors as for `summaries`."""
        return self._rows(_LIST_ROWS)

    def read(self, only: Container[str] | None = None) -> dict[str, AppliedRecord]:
        """Return the applied records of the connections in `only`, by default of all, by name; errors as for `summaries`."""
        rows = [row for row in self._rows(_READ) if only is None or row[0] in only]
        specs, attempts = _decode_specs([(row[0], row[3]) for row in rows]), _decode_all(row[4] for row in rows)
        return {
            name: AppliedRecord(name, decode_text(file), digest, spec, _attempt_from_json(latest))
            for (name, file, digest, _, _), spec, latest in zip(rows, specs, attempts, strict=True)
        }

    def record(self, connection: str) -> AppliedRecord | None:
        """Return the applied record of a connection, or `None`; errors as for `summaries`."""
        for name, file, digest, *texts in self._rows(_READ_ONE, connection):
            (spec,), (latest,) = _decode_specs([(name, texts[0])]), _decode_all(texts[1:])
            return AppliedRecord(name, decode_text(file), digest, spec, _attempt_from_json(latest))
        return None

    def history(self, connection: str) -> list[Attempt]:
        """Return the recorded attempts of a connection, the oldest first; errors as for `summaries`."""
        return list(map(_attempt_from_json, _decode_all(text for (text,) in self._rows(_HISTORY, connection))))

    def histories(self) -> dict[str, list[Attempt]]:
        """Return the recorded attempts of every connection, by name."""
        rows = self._rows(_HISTORIES)
        found: dict[str, list[Attempt]] = {}
        for (name, _), attempt in zip(rows, _decode_all(text for _, text in rows), strict=True):
            found.setdefault(name, []).append(_attempt_from_json(attempt))
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


class StateChanges:
    """The right to change records. It ends with the locks, which a server frees when the session ends."""

    def __init__(self, writing: Callable[[], AbstractContextManager[Execute]], part: str) -> None:
        self.writing = writing
        """Returns a context that is one durable transaction."""
        self._placeholder = f"room {part}"

    def check_writable(self, specs: Iterable[Mapping[str, Any]], texts: Iterable[str]) -> None:
        """Check that records can be written: write a placeholder as large as they are, and delete it.

        Args:
            specs: the specifications of the records.
            texts: what else they contain: files, and who applies.

        Raises:
            ConnectionFailed: `store_unwritable`, or another fault of the state database.
        """
        size = sum(len(json.dumps(spec)) + _ATTEMPT_BYTES for spec in specs)
        with self.writing() as execute:
            for text in texts:  # a database of another encoding than UTF-8 can't hold every character
                execute("SELECT CAST(? AS TEXT)", (encode_text(text),))
            execute(DELETE_META, (self._placeholder,))
            execute(SET_META, (self._placeholder, bytes(min(size, _MAX_PLACEHOLDER_BYTES))))
        with self.writing() as execute:
            execute(DELETE_META, (self._placeholder,))

    def set_repository(self, identity: Mapping[str, str]) -> None:
        """Record to which repository the database belongs."""
        with self.writing() as execute:
            set_repository(execute, identity)

    def write(
        self, records: Sequence[AppliedRecord], removed: Sequence[str] = (), former: Sequence[EarlierSpec] = ()
    ) -> None:
        """Replace records, add their latest attempts to the history, and delete removed connections with their issued tokens and recorded checks, in one transaction.

        Only one thread at a time may call it.

        Args:
            records: the new records.
            removed: the names of removed connections.
            former: former specifications of removed or changed connections, which stay recorded.
        """
        with self.writing() as execute:
            for connection, spec in former:
                text = json.dumps(spec, sort_keys=True).encode()
                execute(_ADD_FORMER, (f"{FORMER}{connection} {sha256(text).hexdigest()}", text))
            for record in records:
                latest = json.dumps(_attempt_to_json(record.latest))
                connection, *brief = record.row
                summary = (encode_text(record.file), record.digest, int(record.is_applied))
                execute(_WRITE, (connection, *summary, *brief, json.dumps(record.spec), latest))
                execute(_ADD_ATTEMPT, (record.connection, record.latest.at.timestamp(), latest))
                execute(DELETE_OLD_ATTEMPTS, (record.connection, record.connection, MAX_ATTEMPTS - 1))
            for connection in removed:
                for statement in _DELETE:
                    execute(statement, (connection,))
                delete_token(execute, connection)
                delete_checks(execute, connection)


def repository_of(execute: Execute) -> dict[str, str]:
    """Return the identity of the repository to which a database belongs; empty if none was recorded."""
    return {
        key: value for (text,) in execute(READ_META, (_REPOSITORY,)) for key, value in json.loads(bytes(text)).items()
    }


def set_repository(execute: Execute, identity: Mapping[str, str]) -> None:
    """Record to which repository a database belongs, in a transaction of the caller."""
    execute(DELETE_META, (_REPOSITORY,))
    execute(SET_META, (_REPOSITORY, json.dumps(identity, sort_keys=True).encode()))


def _summary(file: str, digest: str, is_applied: int, fault: str) -> RecordSummary:
    return RecordSummary(decode_text(file), digest, bool(is_applied), fault)


def _decode_all(texts: Iterable[str]) -> list[Any]:
    """Decode many JSON texts in one call of the decoder, which is faster."""
    encoded = list(texts)
    try:
        decoded: list[Any] = json.loads(f"[{','.join(encoded)}]")
    except (ValueError, RecursionError, TypeError):
        decoded = []
    if len(decoded) != len(encoded):
        raise ConnectionFailed("store_corrupt", "what is recorded of a connection can't be read")
    return decoded


def _decode_specs(rows: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
    """Return the specifications of connections, from their names and JSON texts.

    Raises:
        ConnectionFailed: `store_corrupt`, one can't be read, or has lost its content.
    """
    specs = _decode_all(text for _, text in rows)
    for (name, _), spec in zip(rows, specs, strict=True):
        if not (isinstance(spec, dict) and spec.keys() >= _PARTS):
            raise ConnectionFailed("store_corrupt", f"what is recorded of {name} has lost its content")
    return specs


def encode_text(text: str) -> str:
    """Return text that a database can store. Text that is not printable, or starts with a quote, is encoded as JSON."""
    return text if text.isprintable() and not text.startswith('"') else json.dumps(text)


def decode_text(stored: str) -> str:
    """Return the text that was given to `encode_text`."""
    return str(json.loads(stored)) if stored.startswith('"') else stored


def _attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    secrets = [secret._asdict() for secret in attempt.secrets]
    return attempt._asdict() | {"at": attempt.at.timestamp(), "by": attempt.by._asdict(), "secrets": secrets}


def _attempt_from_json(plain: dict[str, Any]) -> Attempt:
    plain["at"] = datetime.fromtimestamp(plain["at"], UTC)
    plain["by"] = Actor(**plain["by"])
    plain["stages"] = tuple(plain["stages"])
    plain["secrets"] = tuple([UsedSecret(**secret) for secret in plain["secrets"]])
    if plain.keys() <= _FIELDS:
        return Attempt(**plain)
    return Attempt(**{name: plain[name] for name in plain.keys() & _FIELDS})  # a newer version has written more fields
