"""A state database in a folder of this machine: one SQLite file, and a lock file for each name.

Layer 2; IO: the folder. Uses SQLite's rollback journal, so that a database on a read-only mount can be read.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic, sleep

from connform.database.copy_marks import require_not_copied
from connform.database.interface import GRANTS_SCHEMA, Execute
from connform.database.own_connection import OwnConnection
from connform.database.private_files import check_private, ignore_in_git, make_folder, open_private
from connform.database.sqlite_trust import bounded_execute, harden, verify_schema
from connform.debug_log import STATE
from connform.errors import ConnectionFailed
from connform.process_local import ProcessLocal

FILE = "state.sqlite3"
_APPLICATION_ID = 0x636F6E6E  # "conn"
_BUSY_S = 10.0
_PAUSE_SHARE = 0.25
"""The pause between two transactions of a process, as a share of the duration of the first.

Readers are locked out while a transaction is written, and try again every 100 ms. Without pauses, they might never succeed on a slow
disk.
"""
_OPEN_LOCK = ProcessLocal(RLock)
"""Held while a database file is made, closed and opened: closing the file would end the locks of other threads on it."""
_MIGRATIONS = (
    """
    CREATE TABLE connform_meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE connform_grants (
        connection TEXT PRIMARY KEY, token_url TEXT NOT NULL, client_id TEXT NOT NULL, scopes TEXT NOT NULL,
        obtained_at REAL NOT NULL, expires_at REAL, is_renewable INTEGER NOT NULL, revoke_url TEXT NOT NULL,
        pending_since REAL, pending_holder TEXT NOT NULL, ended TEXT NOT NULL, sealed BLOB NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE connform_connections (
        connection TEXT PRIMARY KEY, file TEXT NOT NULL, digest TEXT NOT NULL, is_applied INTEGER NOT NULL,
        verdict TEXT NOT NULL, fault TEXT NOT NULL, latency_ms REAL, certificate_expires_at TEXT NOT NULL,
        tried_at TEXT NOT NULL, tried_by TEXT NOT NULL, spec TEXT NOT NULL, latest TEXT NOT NULL
    ) STRICT;
    CREATE TABLE connform_history (
        connection TEXT NOT NULL, at REAL NOT NULL, attempt TEXT NOT NULL, PRIMARY KEY (connection, at)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX connform_lists ON connform_connections (
        connection, file, digest, is_applied, verdict, fault, latency_ms, certificate_expires_at, tried_at, tried_by
    );
    """,
    """
    CREATE TABLE connform_stamps (connection TEXT PRIMARY KEY, stamp BLOB NOT NULL) STRICT;
    ALTER TABLE connform_grants ADD COLUMN granted_at REAL;
    """,
    """
    CREATE TABLE connform_tokens (
        connection TEXT PRIMARY KEY, binding TEXT NOT NULL, obtained_at REAL NOT NULL, expires_at REAL,
        scopes TEXT NOT NULL, sealed BLOB NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE connform_grants ADD COLUMN account TEXT;
    ALTER TABLE connform_grants ADD COLUMN refresh_ends_at REAL;
    """,
    """
    CREATE TABLE connform_checks (
        connection TEXT PRIMARY KEY, at REAL NOT NULL, since REAL NOT NULL, verdict TEXT NOT NULL,
        ready INTEGER NOT NULL, failed INTEGER NOT NULL, unknown INTEGER NOT NULL, latest TEXT NOT NULL
    ) STRICT;
    CREATE TABLE connform_verdicts (
        connection TEXT NOT NULL, at REAL NOT NULL, verdict TEXT NOT NULL, fault TEXT NOT NULL,
        PRIMARY KEY (connection, at)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE connform_hours (
        connection TEXT NOT NULL, hour INTEGER NOT NULL, checks INTEGER NOT NULL, failed INTEGER NOT NULL,
        unknown INTEGER NOT NULL, answered INTEGER NOT NULL, latencies TEXT NOT NULL, worst_ms REAL,
        PRIMARY KEY (connection, hour)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE connform_schedule (
        connection TEXT PRIMARY KEY, due_at REAL NOT NULL, claimed_until REAL, claimed_by TEXT NOT NULL
    ) STRICT;
    """,
)
"""The migrations from each version of the schema to the next. Never change one that was released."""
_UNWRITABLE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}


class SqliteDatabase:
    """A `database.Database` in one folder. Writing makes a missing folder, reading does not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE
        self.place = str(self._path)
        self._own: OwnConnection[sqlite3.Connection] = OwnConnection(self)
        self._next_write_at = 0.0

    @contextmanager
    def reading(self, schema: int = GRANTS_SCHEMA) -> Iterator[Execute | None]:
        """Yield a function to read with; `None` if there is no file, or if its schema is older than `schema`."""
        with self._own.lock.own, self._translate_errors():
            try:
                connection = self._connect(may_create=False)
            except FileNotFoundError:
                yield None
            else:
                yield bounded_execute(connection, self._path) if _version(connection) >= schema else None

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """Yield a durable transaction."""
        with self.exclusive() as execute:
            require_not_copied(execute, self.place)
            yield execute

    @contextmanager
    def exclusive(self) -> Iterator[Execute]:
        """Yield a durable transaction, also in a database that was copied. SQLite has one at a time."""
        with self._own.lock.own, self._translate_errors():
            self._make_folder()
            connection = self._connect(may_create=True)
            ignore_in_git(self.folder)
            if _version(connection) < len(_MIGRATIONS):
                _migrate(connection, self._path)
            sleep(max(self._next_write_at - monotonic(), 0))
            connection.execute("BEGIN IMMEDIATE")
            began_at = monotonic()
            try:
                yield bounded_execute(connection, self._path)
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
            ended_at = monotonic()
            self._next_write_at = ended_at + _PAUSE_SHARE * (ended_at - began_at)

    def lock(self, name: str, timeout_s: float) -> AbstractContextManager[None]:
        """Lock a name, with a lock file."""
        from connform.database.locks import lock_file  # reading takes none

        self._make_folder()
        return lock_file(self.folder / "locks", name, timeout_s)

    @contextmanager
    def lock_all(
        self, names: Sequence[str], timeout_s: float
    ) -> Iterator[Callable[[], AbstractContextManager[Execute]]]:
        """Lock several names."""
        ends_at = monotonic() + timeout_s
        with ExitStack() as locks:
            for name in names:
                locks.enter_context(self.lock(name, max(ends_at - monotonic(), 0)))
            yield self.writing

    def close(self) -> None:
        """Close the file."""
        with self._own.lock.own:
            self._own.close()

    def _make_folder(self) -> None:
        """Make the folder, but not its parents: a missing parent is a typing error, or a disk that isn't mounted."""
        parent = self.folder.parent
        if not os.path.isdir(parent):  # noqa: PTH112  (pathlib raises where a folder above can't be entered)
            message = f"{self.folder} can't be made: there is no folder {parent}"
            raise ConnectionFailed("store_unwritable", message, "make that folder, or correct --state (CONNFORM_STATE)")
        make_folder(self.folder)

    def _connect(self, *, may_create: bool) -> sqlite3.Connection:
        own = self._own.get()
        if own is not None:
            return own
        with _OPEN_LOCK.own:
            try:
                check_private(self._path)
            except FileNotFoundError:
                if not may_create:
                    raise
                os.close(open_private(self._path, os.O_RDWR | os.O_CREAT))
            return self._own.set(self._open())

    def _open(self) -> sqlite3.Connection:
        mode = "rw" if os.access(self._path, os.W_OK) else "ro"
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=0,  # the limit of work counts all that a statement has ever done
        )
        try:
            harden(connection)
            connection.execute("PRAGMA synchronous = FULL")
            # the journal keeps its space, for writes to a full disk
            connection.execute("PRAGMA journal_mode = PERSIST")
            _require_readable(connection, self._path, may_write=mode == "rw")
            STATE.write("opened %s%s", self._path, "" if mode == "rw" else ", to read only")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise faults (`ConnectionFailed`) instead of SQLite's errors."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # 0 for errors of `sqlite_trust`
            if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                message = f"{self.place}: another process has been writing for {_BUSY_S:.0f} s"
                raise ConnectionFailed("store_locked", message) from None
            if code == sqlite3.SQLITE_INTERRUPT:
                message = f"{self.place} is damaged: there is more to read than its size allows"
                raise ConnectionFailed("store_corrupt", message) from None
            fault = "store_unwritable" if code in _UNWRITABLE else "store_corrupt"
            raise ConnectionFailed(fault, f"{self.place}: {error}") from None


def _require_readable(connection: sqlite3.Connection, path: Path, *, may_write: bool) -> None:
    """Require that a file can be read: bring a very old schema forward, and refuse a newer one."""
    version = verify_schema(bounded_execute(connection, path), _MIGRATIONS)
    if version > len(_MIGRATIONS):
        message = f"{path} was written by a newer connform (its schema is {version}, this one knows {len(_MIGRATIONS)})"
        raise ConnectionFailed("store_corrupt", message, "update connform")
    if version >= GRANTS_SCHEMA:
        return
    if not may_write:
        message = f"{path} has an older schema ({version}), and can't be brought forward"
        raise ConnectionFailed("store_unwritable", message, "make it writable for one run of this connform")
    _migrate(connection, path)


def _version(connection: sqlite3.Connection) -> int:
    ((version,),) = connection.execute("PRAGMA user_version")
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # another process may have migrated meanwhile
        version = verify_schema(bounded_execute(connection, path), _MIGRATIONS)
        for script in _MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {max(version, len(_MIGRATIONS))}")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
