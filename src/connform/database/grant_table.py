"""The table of grants in a state database: encrypted, locked, with the pending refresh in each record.

Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL and holds the locks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from connform.database.cipher import Cipher, have_same_tokens, is_same
from connform.database.grant_rows import (
    COLUMNS,
    READ_FACTS,
    SET_STAMP,
    columns_of,
    grant_of,
    new_stamp,
    row_of,
    stored_facts,
)
from connform.database.interface import Execute, LockTimeout
from connform.database.keyed_database import SELECT_KEY_CHECK, KeyedDatabase
from connform.database.meta import DELETE_META, SET_META
from connform.database.token_table import TokenTable
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts, LockedGrant, Pending

RESERVED_BYTES = 16 * 1024
"""The size of the placeholder that reserves disk space: a full disk is noticed before a token is spent, not after."""
# The SQL is built from constants of this package only.
_READ = (
    f"SELECT ({SELECT_KEY_CHECK}), stamp, connform_grants.* FROM connform_grants "  # noqa: S608  (a constant)
    "LEFT JOIN connform_stamps USING (connection) WHERE connection = ?"
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
_DELETE = (
    "DELETE FROM connform_grants WHERE connection = ?",
    "DELETE FROM connform_stamps WHERE connection = ?",
)


class GrantTable:
    """The `GrantStore` of one database."""

    def __init__(self, keyed: KeyedDatabase) -> None:
        self.keyed = keyed
        """The database, with the key of the grants."""
        self._database = keyed.database
        self.place = keyed.database.place
        """The name of the database in messages; without a password."""

    @property
    def tokens(self) -> TokenTable:
        """The table of issued tokens in the same database."""
        return TokenTable(self.keyed)

    def read(self, connection: str) -> Grant | None:
        """Return a grant without locking it."""
        with self._database.reading() as execute:
            for key_check, stamp, *row in execute(_READ, (connection,)) if execute else ():
                return grant_of((*columns_of(row), stamp), self.keyed.cipher_of(key_check))
        return None

    def facts(self) -> Iterator[GrantFacts]:
        """Yield the facts of every grant, by name; needs no key."""
        with self._database.reading() as execute:
            rows = execute(READ_FACTS) if execute else []
        yield from map(stored_facts, rows)

    def check_key(self, *, is_given: bool) -> None:
        """Check the key, without making one: argument and errors as for `KeyedDatabase.check_key`."""
        self.keyed.check_key(is_given=is_given)

    @contextmanager
    def lock(self, connection: str, timeout_s: float) -> Iterator[LockedGrant]:
        """Lock a grant during the block."""
        try:
            with self._database.lock(connection, timeout_s):
                yield _LockedRow(self, self.keyed, connection)
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
        for row in _read(execute, old):
            cipher, stamp = self.keyed.cipher(execute), new_stamp()
            grant = grant_of(row, cipher)
            renamed = grant._replace(facts=grant.facts._replace(connection=new))
            execute(_INSERT, row_of(renamed, cipher, stamp))
            execute(SET_STAMP, (new, stamp))
            for statement in _DELETE:
                execute(statement, (old,))

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()


def _read(execute: Execute, connection: str) -> list[tuple[Any, ...]]:
    """Return the rows of a connection, one or none, for `grant_of`, in a transaction that may write."""
    return [(*columns_of(row), stamp) for _, stamp, *row in execute(_READ, (connection,))]


def write_grant(execute: Execute, cipher: Cipher, grant: Grant) -> None:
    """Insert or replace the record of a grant."""
    stamp = new_stamp()
    execute(_WRITE, row_of(grant, cipher, stamp))
    execute(SET_STAMP, (grant.facts.connection, stamp))


class _LockedRow:
    """A `LockedGrant` whose lock is held."""

    def __init__(self, table: GrantTable, keyed: KeyedDatabase, connection: str) -> None:
        self._table = table
        self.keyed = keyed
        self._connection = connection

    def read(self) -> Grant | None:
        """Return the stored grant."""
        return self._table.read(self._connection)

    def check_writable(self) -> None:
        """Check that a grant can be stored: write a placeholder that is large enough, and delete it. The database keeps the freed space."""
        self._reserve_space()
        with self.keyed.writing() as (execute, _):
            execute(DELETE_META, ("room",))

    def begin_refresh(self, expected: Grant) -> bool:
        """Write the pending refresh, and reserve space for the new tokens, if the record is `expected`: compare-and-swap."""
        pending = Pending.of_this_process()
        self._reserve_space()
        with self.keyed.writing() as (execute, cipher):
            execute(DELETE_META, ("room",))
            rows = _read(execute, self._connection)
            if not rows or not is_same(grant_of(rows[0], cipher), expected):
                return False
            begun = expected._replace(facts=expected.facts._replace(pending=pending))
            return self._swap(execute, cipher, rows[0], begun)

    def write(self, grant: Grant) -> None:
        """Replace the whole record."""
        with self.keyed.writing() as (execute, cipher):
            write_grant(execute, cipher, grant)

    def replace(self, expected: Grant, grant: Grant) -> bool:
        """Replace the record if its tokens are those of `expected`: compare-and-swap in one statement."""
        with self.keyed.writing() as (execute, cipher):
            rows = _read(execute, self._connection)
            if not rows:
                return False
            if not have_same_tokens(grant_of(rows[0], cipher), expected):
                return False
            return self._swap(execute, cipher, rows[0], grant)

    def _swap(self, execute: Execute, cipher: Cipher, row: Sequence[Any], grant: Grant) -> bool:
        """Replace a row that was read by a new record; return false if the row has changed since."""
        *_, before, _ = row
        stamp = new_stamp()
        _, *values, renewed = row_of(grant, cipher, stamp)
        execute(_REPLACE, (*values, renewed, self._connection, bytes(before)))
        is_stored = bool(execute(_IS_STORED, (self._connection, renewed)))
        if is_stored:
            execute(SET_STAMP, (self._connection, stamp))
        return is_stored

    def delete(self) -> None:
        """Delete the record. Needs no key."""
        with self.keyed.database.writing() as execute:
            for statement in _DELETE:
                execute(statement, (self._connection,))

    def _reserve_space(self) -> None:
        with self.keyed.writing() as (execute, _):
            execute(DELETE_META, ("room",))
            execute(SET_META, ("room", bytes(RESERVED_BYTES)))
