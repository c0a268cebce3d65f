"""Changes of applied records, under the locks of their parts. Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from connform.database.interface import Execute
from connform.database.meta import DELETE_META, READ_META, SET_META
from connform.database.record_rows import COLUMNS, FORMER, attempt_to_json, encode_text
from connform.recorded import AppliedRecord, EarlierSpec

MAX_ATTEMPTS = 100
"""The most attempts in the history of a connection; older ones are deleted."""
# The SQL is built from constants of this package only.
_WRITE = (
    f"INSERT INTO connform_connections ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608  (as said above)
    f"ON CONFLICT (connection) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
_DELETE = (
    "DELETE FROM connform_connections WHERE connection = ?",
    "DELETE FROM connform_history WHERE connection = ?",
)
_ADD_ATTEMPT = "INSERT INTO connform_history (connection, at, attempt) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
DELETE_OLD_ATTEMPTS = (
    "DELETE FROM connform_history WHERE connection = ? AND at < "
    "(SELECT at FROM connform_history WHERE connection = ? ORDER BY at DESC LIMIT 1 OFFSET ?)"
)
_ADD_FORMER = "INSERT INTO connform_meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ATTEMPT_BYTES = 3 * 1024
"""About the size of an attempt in a record and in the history, with their indexes."""
_MAX_PLACEHOLDER_BYTES = 64 * 1024 * 1024
_PIECE = bytes(256 * 1024)
"""A piece of a placeholder, which is written in pieces to save memory."""
_DELETE_PLACEHOLDER = "DELETE FROM connform_meta WHERE name = ? OR name LIKE ?"
_REPOSITORY = "repository"


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
        size = min(sum(len(json.dumps(spec)) + _ATTEMPT_BYTES for spec in specs), _MAX_PLACEHOLDER_BYTES)
        pieces = [f"{self._placeholder} {number}" for number in range(-(-size // len(_PIECE)))]
        with self.writing() as execute:
            for text in texts:  # a database of another encoding than UTF-8 can't hold every character
                execute("SELECT CAST(? AS TEXT)", (encode_text(text),))
            execute(_DELETE_PLACEHOLDER, (self._placeholder, f"{self._placeholder} %"))  # of a run that was killed
            for name in pieces:
                execute(SET_META, (name, _PIECE))
        with self.writing() as execute:
            execute(_DELETE_PLACEHOLDER, (self._placeholder, f"{self._placeholder} %"))

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
        from hashlib import sha256  # whoever only reads needs neither this nor the rows of checks and tokens

        from connform.database.check_rows import delete_checks
        from connform.database.token_rows import delete_token

        with self.writing() as execute:
            for connection, spec in former:
                text = json.dumps(spec, sort_keys=True).encode()
                execute(_ADD_FORMER, (f"{FORMER}{connection} {sha256(text).hexdigest()}", text))
            for record in records:
                latest = json.dumps(attempt_to_json(record.latest))
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
