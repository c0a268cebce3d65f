"""The table of grants in a state database: encrypted, locked, with the pending refresh in each record.

Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL and holds the locks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from connform.database.cipher import Cipher, have_same_tokens, is_same
from connform.database.grant_rows import COLUMNS, DELETE_META, READ_FACTS, SET_META, facts_of, grant_of, row_of
from connform.database.interface import Database, Execute, LockTimeout
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts, LockedGrant, Pending
from connform.secret import Secret

RESERVED_BYTES = 16 * 1024
"""The size of the placeholder that reserves disk space: a full disk is noticed before a token is spent, not after."""
# The SQL is built from constants of this package only.
_READ = (
    f"SELECT {', '.join(COLUMNS)}, stamp FROM connform_grants LEFT JOIN connform_stamps USING (connection) "  # noqa: S608  (the columns are constants)
    "WHERE connection = ?"
)
_INSERT = f"INSERT INTO connform_grants ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  (the columns are constants)
_WRITE = (
    f"{_INSERT} ON CONFLICT (connection) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
_REPLACE = (
    f"UPDATE connform_grants SET {', '.join(f'{name} = ?' for name in COLUMNS[1:])} "  # noqa: S608  (the columns are constants)
    "WHERE connection = ? AND sealed = ?"
)
_IS_STORED = "SELECT 1 FROM connform_grants WHERE connection = ? AND sealed = ?"
_STAMP = (
    "INSERT INTO connform_stamps (connection, stamp) VALUES (?, ?) "
    "ON CONFLICT (connection) DO UPDATE SET stamp = excluded.stamp"
)
"""Each write makes a new random stamp, which is part of the associated data: an old record put back can't be decrypted."""
_STAMP_BYTES = 16
_DELETE = (
    "DELETE FROM connform_grants WHERE connection = ?",
    "DELETE FROM connform_stamps WHERE connection = ?",
)
_HAS_GRANTS = "SELECT 1 FROM connform_grants LIMIT 1"
_KEY_CHECK = "SELECT value FROM connform_meta WHERE name = 'key-check'"


class GrantTable:
    """The `GrantStore` of one database."""

    def __init__(self, database: Database, key: Callable[[bool], Secret]) -> None:
        """Take a database and its key.

        Args:
            database: where the grants are stored.
            key: returns the key; called when tokens are read or written, not for facts. Its argument says whether the table has
                no grants yet, so that a new key may be made.
        """
        self._database = database
        self._key = key
        self._cipher: Cipher | None = None

    def read(self, connection: str) -> Grant | None:
        """Return a grant without locking it."""
        with self._database.reading() as execute:
            rows = execute(_READ, (connection,)) if execute else []
            return grant_of(rows[0], self._checked_cipher(execute)) if execute and rows else None

    def facts(self) -> Iterator[GrantFacts]:
        """Yield the facts of every grant, by name; needs no key."""
        with self._database.reading() as execute:
            rows = execute(READ_FACTS) if execute else []
        yield from map(facts_of, rows)

    @contextmanager
    def lock(self, connection: str, timeout_s: float) -> Iterator[LockedGrant]:
        """Lock a grant during the block."""
        try:
            with self._database.lock(connection, timeout_s):
                yield _LockedRow(self, self._database, connection)
        except LockTimeout as timeout:
            message = f"the grant of {connection} was not free within {timeout_s:.0f} s"
            raise ConnectionFailed("store_locked", f"{message}: {timeout}") from None

    def rename(self, execute: Execute, old: str, new: str) -> None:
        """Rename a grant in a transaction of the caller, who has locked both names; do nothing if there is no grant.

        The grant is encrypted again, because its name is part of the associated data.

        Args:
            execute: executes SQL in the caller's transaction.
            old: the old name.
            new: the new name, which has no grant.
        """
        for row in execute(_READ, (old,)):
            cipher, stamp = self._checked_cipher(execute), os.urandom(_STAMP_BYTES)
            grant = grant_of(row, cipher)
            renamed = grant._replace(facts=grant.facts._replace(connection=new))
            execute(_INSERT, row_of(renamed, cipher, stamp))
            execute(_STAMP, (new, stamp))
            for statement in _DELETE:
                execute(statement, (old,))

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()

    @contextmanager
    def writing(self) -> Iterator[tuple[Execute, Cipher]]:
        """Yield a durable transaction, and the cipher."""
        with self._database.writing() as execute:
            yield execute, self._checked_cipher(execute, may_create=True)

    def _checked_cipher(self, execute: Execute, *, may_create: bool = False) -> Cipher:
        """Return the cipher after checking that its key is the one of the database.

        A database without grants accepts a new key: no grant needs the old one.
        """
        if self._cipher is None:
            rows = execute(_KEY_CHECK)
            is_new = may_create and not (rows and execute(_HAS_GRANTS))
            cipher = Cipher(self._key(is_new))
            if rows and cipher.is_key_of(bytes(rows[0][0])):
                self._cipher = cipher
            elif is_new:
                execute(DELETE_META, ("key-check",))
                execute(SET_META, ("key-check", cipher.key_check()))
                return cipher  # the next call stores it in `_cipher`, after the commit
            else:
                raise ConnectionFailed("store_key_wrong", f"{self._database.place} was made with another key")
        return self._cipher


def write_grant(execute: Execute, cipher: Cipher, grant: Grant) -> None:
    """Insert or replace the record of a grant."""
    stamp = os.urandom(_STAMP_BYTES)
    execute(_WRITE, row_of(grant, cipher, stamp))
    execute(_STAMP, (grant.facts.connection, stamp))


class _LockedRow:
    """A `LockedGrant` whose lock is held."""

    def __init__(self, table: GrantTable, database: Database, connection: str) -> None:
        self._table = table
        self._database = database
        self._connection = connection

    def read(self) -> Grant | None:
        """Return the stored grant."""
        return self._table.read(self._connection)

    def check_writable(self) -> None:
        """Check that a grant can be stored: write a placeholder that is large enough, and delete it. The database keeps the freed space."""
        self._reserve_space()
        with self._table.writing() as (execute, _):
            execute(DELETE_META, ("room",))

    def begin_refresh(self, expected: Grant) -> bool:
        """Write the pending refresh, and reserve space for the new tokens, if the record is `expected`: compare-and-swap."""
        pending = Pending.of_this_process()
        self._reserve_space()
        with self._table.writing() as (execute, cipher):
            execute(DELETE_META, ("room",))
            rows = execute(_READ, (self._connection,))
            if not rows or not is_same(grant_of(rows[0], cipher), expected):
                return False
            begun = expected._replace(facts=expected.facts._replace(pending=pending))
            return self._swap(execute, cipher, rows[0], begun)

    def write(self, grant: Grant) -> None:
        """Replace the whole record."""
        with self._table.writing() as (execute, cipher):
            write_grant(execute, cipher, grant)

    def replace(self, expected: Grant, grant: Grant) -> bool:
        """Replace the record if its tokens are those of `expected`: compare-and-swap in one statement."""
        with self._table.writing() as (execute, cipher):
            rows = execute(_READ, (self._connection,))
            if not rows:
                return False
            if not have_same_tokens(grant_of(rows[0], cipher), expected):
                return False
            return self._swap(execute, cipher, rows[0], grant)

    def _swap(self, execute: Execute, cipher: Cipher, row: Sequence[Any], grant: Grant) -> bool:
        """Replace a row that was read by a new record; return false if the row has changed since."""
        *_, before, _ = row
        stamp = os.urandom(_STAMP_BYTES)
        _, *values, renewed = row_of(grant, cipher, stamp)
        execute(_REPLACE, (*values, renewed, self._connection, bytes(before)))
        is_stored = bool(execute(_IS_STORED, (self._connection, renewed)))
        if is_stored:
            execute(_STAMP, (self._connection, stamp))
        return is_stored

    def delete(self) -> None:
        """Delete the record. Needs no key."""
        with self._database.writing() as execute:
            for statement in _DELETE:
                execute(statement, (self._connection,))

    def _reserve_space(self) -> None:
        with self._table.writing() as (execute, _):
            execute(DELETE_META, ("room",))
            execute(SET_META, ("room", bytes(RESERVED_BYTES)))
