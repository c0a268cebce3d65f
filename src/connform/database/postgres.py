"""A state database on a PostgreSQL server, for many machines: schema, transactions and advisory locks.

Layer 2; IO: the server. Needs the extra `connform[postgres]`. A lock ends with its session; a connection pooler must pool sessions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import BoundedSemaphore
from time import monotonic
from typing import TYPE_CHECKING, Any

from connform.database.copy_marks import require_not_copied
from connform.database.interface import GRANTS_SCHEMA, Execute, LockTimeout
from connform.database.own_connection import OwnConnection
from connform.database.postgres_server import ROW_WAIT_MS, PostgresServer, describe_holder, execute_on, set_held_since
from connform.debug_log import STATE
from connform.errors import ConnectionFailed
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    import psycopg


_MIGRATIONS = (
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
    """
    CREATE TABLE connform_tokens (
        connection TEXT PRIMARY KEY, binding TEXT NOT NULL, obtained_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION, scopes TEXT NOT NULL, sealed BYTEA NOT NULL
    )
    """,
    """
    ALTER TABLE connform_grants ADD COLUMN account TEXT, ADD COLUMN refresh_ends_at DOUBLE PRECISION
    """,
    """
    CREATE TABLE connform_checks (
        connection TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, since DOUBLE PRECISION NOT NULL,
        verdict TEXT NOT NULL, ready BIGINT NOT NULL, failed BIGINT NOT NULL, unknown BIGINT NOT NULL,
        latest TEXT NOT NULL
    );
    CREATE TABLE connform_verdicts (
        connection TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, verdict TEXT NOT NULL, fault TEXT NOT NULL,
        PRIMARY KEY (connection, at)
    );
    CREATE TABLE connform_hours (
        connection TEXT NOT NULL, hour INTEGER NOT NULL, checks INTEGER NOT NULL, failed INTEGER NOT NULL,
        unknown INTEGER NOT NULL, answered INTEGER NOT NULL, latencies TEXT NOT NULL, worst_ms DOUBLE PRECISION,
        PRIMARY KEY (connection, hour)
    );
    CREATE TABLE connform_schedule (
        connection TEXT PRIMARY KEY, due_at DOUBLE PRECISION NOT NULL, claimed_until DOUBLE PRECISION,
        claimed_by TEXT NOT NULL
    )
    """,
)
"""The migrations from each version of the schema to the next. Never change one that was released."""
_META = "CREATE TABLE IF NOT EXISTS connform_meta (name TEXT PRIMARY KEY, value BYTEA NOT NULL)"
_IS_THERE = "SELECT to_regclass('connform_meta') IS NOT NULL"
_VERSION = "SELECT convert_from(value, 'UTF8')::int FROM connform_meta WHERE name = 'version'"
_SET_VERSION = "INSERT INTO connform_meta VALUES ('version', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_SCHEMA = (
    "coalesce((SELECT nspname FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid "
    "WHERE pg_class.oid = to_regclass('connform_meta')), current_schema())"
)
"""The schema of the tables: where they exist, otherwise where they will be made."""
_LOCK_KEY = f"hashtextextended('connform ' || {_SCHEMA} || ' ' || ?, 0)"
"""The key of a lock. It must be the same in all versions of connform, or they would not wait for each other."""
_LOCK = (
    "WITH bounded AS MATERIALIZED (SELECT set_config('lock_timeout', ?, false)) "  # noqa: S608  (constants)
    f"SELECT pg_advisory_lock({_LOCK_KEY}) FROM bounded"
)
_HOLDER = (
    "SELECT application_name, clock_timestamp() FROM pg_locks JOIN pg_stat_activity USING (pid) "  # noqa: S608  (constants)
    "WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND ((classid::bigint << 32) | objid::bigint) = {_LOCK_KEY}"
)
_NO_TIMEOUTS = (
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'idle_session_timeout')"
)
"""Disables time-outs that a role or database may have: they would end the wait for a lock, or its session."""
_BOUND_WAITS = "SELECT set_config('lock_timeout', CAST(? AS text), false)"
"""Bounds the wait for a row that another process is writing: one that was stopped in its transaction would hold it for ever."""
_BESIDE_OTHER_WRITERS = "LOCK TABLE connform_meta IN ROW EXCLUSIVE MODE"
_EXCLUDE_WRITERS = "LOCK TABLE connform_meta IN SHARE ROW EXCLUSIVE MODE"
"""Waits for the transactions that have the other lock, and keeps further ones out; those that only read go on."""
_MAX_LOCKS = 8
"""The most locks of one process at once: each needs a session, and a server has few of them."""
_CONNECT_WAIT_S = 10.0
"""How long to wait for a session outside of locks, if the server has none left."""
_SESSIONS = ProcessLocal(lambda: BoundedSemaphore(_MAX_LOCKS))


class PostgresDatabase:
    """A `database.Database` on a server."""

    def __init__(self, url: str) -> None:
        """Take `postgresql://user@host:port/database`. libpq takes missing parts from PG* variables and ~/.pgpass.

        Raises:
            ConnectionFailed: `config_invalid`, the URL is not valid; `store_unavailable`, a library is missing.
        """
        self._server = PostgresServer(url)
        self.place = self._server.place
        self.folder = None
        self._own: OwnConnection[psycopg.Connection[Any]] = OwnConnection(self)
        self._is_current = False

    @contextmanager
    def reading(self, schema: int = GRANTS_SCHEMA) -> Iterator[Execute | None]:
        """Yield a function to read with; `None` if there are no tables, or if their schema is older than `schema`."""
        with self._transaction(denied="store_unavailable") as execute:
            version = len(_MIGRATIONS) if self._is_current else self._version(execute)
            if 0 < version < GRANTS_SCHEMA:
                version = self._migrate(execute)
            yield execute if version >= schema else None

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """Yield a durable transaction."""
        with self._transaction() as execute:
            self._begin_to_write(execute)
            yield execute

    @contextmanager
    def exclusive(self) -> Iterator[Execute]:
        """Yield a durable transaction, also in a database that was copied; no other one may begin to write."""
        with self._transaction() as execute:
            self._bring_forward(execute)
            execute(_EXCLUDE_WRITERS)
            yield execute

    @contextmanager
    def lock(self, name: str, timeout_s: float) -> Iterator[None]:
        """Lock a name, in a session of its own."""
        with self._server.translate_errors(), self._lock_session([f"grant {name}"], timeout_s):
            yield

    @contextmanager
    def lock_all(
        self, names: Sequence[str], timeout_s: float
    ) -> Iterator[Callable[[], AbstractContextManager[Execute]]]:
        """Lock several names in one session, and write in that session: if the session and its locks are lost, writing fails."""
        with self._server.translate_errors(), self._lock_session(names, timeout_s) as session:

            @contextmanager
            def writing() -> Iterator[Execute]:
                with self._server.translate_errors(), session.transaction():
                    execute = execute_on(session)
                    self._begin_to_write(execute)
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
                STATE.write("asks for the lock of %s, %d ms at most", name, remaining_ms)
                try:
                    execute(_LOCK, (str(remaining_ms), name))
                except psycopg.errors.LockNotAvailable:
                    (holder, now), *_ = execute(_HOLDER, (name,)) or [("someone", None)]
                    raise LockTimeout(describe_holder(holder), now) from None
            STATE.write("holds the locks of %s", ", ".join(names))
            execute(_BOUND_WAITS, (ROW_WAIT_MS,))
            set_held_since(session)
            yield session

    def close(self) -> None:
        """Close the connection."""
        with self._own.lock.own:
            self._own.close()

    @contextmanager
    def _transaction(self, denied: str = "store_unwritable") -> Iterator[Execute]:
        with self._own.lock.own, self._server.translate_errors(denied):
            session = self._own.get()
            if session is None or not _is_alive(session):
                session = self._own.set(self._server.connect(_CONNECT_WAIT_S))
                execute_on(session)(_BOUND_WAITS, (ROW_WAIT_MS,))
            with session.transaction():
                yield execute_on(session)

    def _begin_to_write(self, execute: Execute) -> None:
        """Begin a transaction that writes: not beside one of `exclusive`, and not in a database that was copied."""
        self._bring_forward(execute)
        execute(_BESIDE_OTHER_WRITERS)
        require_not_copied(execute, self.place)

    def _bring_forward(self, execute: Execute) -> None:
        """Make missing tables, and migrate old ones."""
        if not self._is_current and self._version(execute) < len(_MIGRATIONS):
            self._migrate(execute)

    def _migrate(self, execute: Execute) -> int:
        """Migrate to the newest version of the schema, and return it."""
        execute(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})", ("schema",))
        execute(_META)
        for script in _MIGRATIONS[self._version(execute) :]:  # another process may have migrated meanwhile
            execute(script)
        execute(_SET_VERSION, (str(len(_MIGRATIONS)).encode(),))
        return len(_MIGRATIONS)

    def _version(self, execute: Execute) -> int:
        """Return the version of the schema; 0 if there is none."""
        ((exists,),) = execute(_IS_THERE)
        versions = execute(_VERSION) if exists else []
        version = int(versions[0][0]) if versions else 0
        if version > len(_MIGRATIONS):
            message = (
                f"{self.place} was written by a newer connform (schema {version}; this one knows {len(_MIGRATIONS)})"
            )
            raise ConnectionFailed("store_corrupt", message, "update connform")
        self._is_current = version == len(_MIGRATIONS)
        return version


def _is_alive(session: psycopg.Connection[Any]) -> bool:
    """Whether a session still works."""
    import psycopg

    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _closing_session(session: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """Close a session after the block; not in a child that was forked inside of it, which would end its parent's session and lock."""
    pid = os.getpid()
    try:
        yield session
    finally:
        if pid == os.getpid():
            session.close()


@contextmanager
def _session_slot(timeout_s: float) -> Iterator[None]:
    """Take one of the `_MAX_LOCKS` slots of this process."""
    sessions = _SESSIONS.own
    if not sessions.acquire(timeout=timeout_s):
        raise LockTimeout(f"this process has been holding {_MAX_LOCKS} others")
    try:
        yield
    finally:
        sessions.release()
