"""The database connection of one process: never used in a forked child, closed when its database is collected.

Layer 2, no IO of its own. The garbage collector finalizes objects in any order, and both libraries warn if it finds a connection open.
A `weakref.finalize` of the database holds the connection until it is closed.
"""

from __future__ import annotations

import os
import weakref
from threading import RLock
from typing import Final, Generic, Protocol, TypeVar

from connform.process_local import ProcessLocal


class Closable(Protocol):
    """A connection of sqlite3 or psycopg."""

    def close(self) -> None:
        """Close the connection."""


C = TypeVar("C", bound=Closable)
_INHERITED: list[Closable] = []
"""Connections of the parent process. They are held here so that they are not closed: that could roll back a transaction there."""


class OwnConnection(Generic[C]):
    """At most one open connection. Its user must hold `lock.own`."""

    def __init__(self, database: object) -> None:
        """Take the database that the connection belongs to; the connection is closed when the database is collected."""
        self.lock: Final = ProcessLocal(RLock)
        self._connection: C | None = None
        self._pid = 0
        weakref.finalize(database, self._close_unused)

    def get(self) -> C | None:
        """Return the connection of this process, or `None`. A forked child neither uses nor closes the connection of its parent."""
        if self._connection is not None and self._pid != os.getpid():
            _INHERITED.append(self._connection)
            self._connection = None
        return self._connection

    def set(self, connection: C) -> C:
        """Store a new connection; close the previous one."""
        self.close()
        self._connection, self._pid = connection, os.getpid()
        return connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self.get(), None
        if connection is not None:
            connection.close()

    def _close_unused(self) -> None:
        """Close the connection, unless another thread is using it while the process ends."""
        lock = self.lock.own
        if lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                lock.release()
