"""A state database on a PostgreSQL server, for many machines: schema, transactions and advisory locks.

Layer 2; IO: the server. Needs the extra `connform[postgres]`. Locks belong to sessions: a pooler in between must pool sessions.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from connform.database.interface import LockTimeout
from connform.database.own_connection import OwnConnection
from connform.database.postgres_server import PostgresServer, describe_holder, execute_on, set_held_since
from connform.errors import ConnectionFailed
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import psycopg

    from connform.database.interface import Execute

_MIGRATIONS: Final = (
    """
    CREATE TABLE connform_grants (
        connection TEXT PRIMARY KEY, token_url TEXT NOT NULL, client_id TEXT NOT NULL, scopes TEXT NOT NULL,
        obtained_at DOUBLE PRECISION NOT NULL, expires_at DOUBLE PRECISION, is_renewable INTEGER NOT NULL,
        revoke_url TEXT NOT NULL, pending_since DOUBLE PRECISION, pending_holder TEXT NOT NULL, ended TEXT NOT NULL,
        sealed BYTEA NOT NULL
    )
    """,
    """
    CREATE TABLE connform_connections (
        connection TEXT PRIMARY KEY, file TEXT NOT NULL, digest TEXT NOT NULL, is_applied INTEGER NOT NULL,
        verdict TEXT NOT NULL, fault TEXT NOT NULL, latency_ms DOUBLE PRECISION, certificate_expires_at TEXT NOT NULL,
        tried_at TEXT NOT NULL, tried_by TEXT NOT NULL, spec TEXT NOT NULL, latest TEXT NOT NULL
    );
    CREATE TABLE connform_history (
        connection TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, attempt TEXT NOT NULL, PRIMARY KEY (connection, at)
    )
    """,
    """
    CREATE TABLE connform_stamps (connection TEXT PRIMARY KEY, stamp BYTEA NOT NULL);
    ALTER TABLE connform_grants ADD COLUMN granted_at DOUBLE PRECISION
    """,
)
"""What leads from each version of the schema to the next; never edited once released."""
_META: Final = "CREATE TABLE IF NOT EXISTS connform_meta (name TEXT PRIMARY KEY, value BYTEA NOT NULL)"
_IS_THERE: Final = "SELECT to_regclass('connform_meta') IS NOT NULL"
_VERSION: Final = "SELECT convert_from(value, 'UTF8')::int FROM connform_meta WHERE name = 'version'"
_SET_VERSION: Final = (
    "INSERT INTO connform_meta VALUES ('version', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_SCHEMA: Final = (
    "coalesce((SELECT nspname FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid "
    "WHERE pg_class.oid = to_regclass('connform_meta')), current_schema())"
)
"""Where the tables lie or will lie, whatever else is in the search path of a session."""
_LOCK_KEY: Final = f"hashtextextended('connform ' || {_SCHEMA} || ' ' || ?, 0)"
"""What all versions must have in common: two that lock otherwise don't wait for each other."""
_LOCK: Final = (
    "WITH bounded AS MATERIALIZED (SELECT set_config('lock_timeout', ?, false)) "  # noqa: S608  (constants)
    f"SELECT pg_advisory_lock({_LOCK_KEY}) FROM bounded"
)
_HOLDER: Final = (
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "  # noqa: S608  (constants)
    "WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND ((classid::bigint << 32) | objid::bigint) = {_LOCK_KEY}"
)
_NO_TIMEOUTS: Final = (
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'idle_session_timeout')"
)
"""What may be set for a role or a database, and would end the wait for a lock, or the lock."""
_MAX_LOCKS: Final = 8
"""At once in one process: each is a session, of which a server has few for all its users."""
_CONNECT_WAIT_S: Final = 10.0
"""How long to wait for a session of a server that has none left, where no lock's own limit says so."""
_SESSIONS: Final = ProcessLocal(lambda: BoundedSemaphore(_MAX_LOCKS))


class PostgresDatabase:
    """A `database.Database` on a server."""

    def __init__(self, url: str) -> None:
        """Take `postgresql://user@host:port/database`; what it leaves out libpq finds in PG* variables and ~/.pgpass.

        Raises:
            ConnectionFailed: `config_invalid`, it is none; `store_unavailable`, a library is missing.
        """
        self._server = PostgresServer(url)
        self.place = self._server.place
        self.folder = None
        self._own: OwnConnection[psycopg.Connection[Any]] = OwnConnection(self)
        self._has_tables = False

    @contextmanager
    def reading(self) -> Iterator[Execute | None]:
        """Yield what reads; `None` where nothing was ever written."""
        with self._transaction() as execute:
            yield execute if self._ensure_tables(execute) else None

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """Yield one durable transaction."""
        with self._transaction() as execute:
            self._ensure_tables(execute, may_create=True)
            yield execute

    @contextmanager
    def lock(self, name: str, timeout_s: float) -> Iterator[None]:
        """Hold a name, in a session of its own."""
        with self._server.translated_errors(), self._lock_session([f"grant {name}"], timeout_s):
            yield

    @contextmanager
    def lock_all(
        self, names: Sequence[str], timeout_s: float
    ) -> Iterator[Callable[[], AbstractContextManager[Execute]]]:
        """Hold several names in one session, in which everything is written: with it, the right to write is lost."""
        with self._server.translated_errors(), self._lock_session(names, timeout_s) as session:

            @contextmanager
            def writing() -> Iterator[Execute]:
                with self._server.translated_errors(), session.transaction():
                    execute = execute_on(session)
                    self._ensure_tables(execute, may_create=True)
                    yield execute

            yield writing

    @contextmanager
    def _lock_session(self, names: Sequence[str], timeout_s: float) -> Iterator[psycopg.Connection[Any]]:
        import psycopg

        ends_at = monotonic() + timeout_s
        with _session_slot(timeout_s), _closing_session(self._server.connect(ends_at - monotonic())) as session:
            execute = execute_on(session)
            execute(_NO_TIMEOUTS)
            for name in names:
                remaining_ms = max(int((ends_at - monotonic()) * 1000), 1)
                try:
                    execute(_LOCK, (str(remaining_ms), name))
                except psycopg.errors.LockNotAvailable:
                    holders = execute(_HOLDER, (name,)) or [("someone",)]
                    raise LockTimeout(describe_holder(holders[0][0])) from None
            execute("SET lock_timeout = 0")
            set_held_since(session)
            yield session

    def close(self) -> None:
        """Let go of the connection."""
        with self._own.lock.own:
            self._own.close()

    @contextmanager
    def _transaction(self) -> Iterator[Execute]:
        with self._own.lock.own, self._server.translated_errors():
            session = self._own.get()
            if session is None or not _is_alive(session):
                session = self._own.set(self._server.connect(_CONNECT_WAIT_S))
            with session.transaction():
                yield execute_on(session)

    def _ensure_tables(self, execute: Execute, *, may_create: bool = False) -> bool:
        """Return whether the tables are there; bring older ones forward, and make them where that is wanted."""
        if self._has_tables:
            return True
        version = self._version(execute)
        self._has_tables = version == len(_MIGRATIONS)
        if self._has_tables or not (version or may_create):
            return self._has_tables
        execute(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})", ("schema",))
        execute(_META)
        for script in _MIGRATIONS[self._version(execute) :]:  # another process may have been here
            execute(script)
        execute(_SET_VERSION, (str(len(_MIGRATIONS)).encode(),))
        return True

    def _version(self, execute: Execute) -> int:
        """Return the version of the schema; 0 where there is none."""
        ((exists,),) = execute(_IS_THERE)
        versions = execute(_VERSION) if exists else []
        version = int(versions[0][0]) if versions else 0
        if version > len(_MIGRATIONS):
            message = (
                f"{self.place} was written by a newer connform (schema {version}; this one knows {len(_MIGRATIONS)})"
            )
            raise ConnectionFailed("store_corrupt", message, "update connform")
        return version


def _is_alive(session: psycopg.Connection[Any]) -> bool:
    """Whether a session is open, and its server has not gone away meanwhile."""
    import psycopg

    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _closing_session(session: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """End a session with the block, but not in a child that was forked in here: its parent's would end, and the lock with it."""
    opened_by = os.getpid()
    try:
        yield session
    finally:
        if opened_by == os.getpid():
            session.close()


@contextmanager
def _session_slot(timeout_s: float) -> Iterator[None]:
    """Hold one of the locks that this process may have."""
    sessions = _SESSIONS.own
    if not sessions.acquire(timeout=timeout_s):
        message = f"this process has been holding {_MAX_LOCKS} others"
        raise LockTimeout(message)
    try:
        yield
    finally:
        sessions.release()
