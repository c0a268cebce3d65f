"""The database connection of one process: never used in a forked child, closed when its database is collected.

Layer 2, no IO of its own. The collector calls `__del__` of what it finds in any order, and the libraries complain of a connection that
it finds open; a finalizer keeps the connection out of its reach until it is closed.
"""

from __future__ import annotations

import os
import weakref
from threading import RLock
from typing import Final, Generic, Protocol, TypeVar

from connform.process_local import ProcessLocal


class Closable(Protocol):
    """A connection of either library."""

    def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Closable)
_INHERITED: Final[list[Closable]] = []
"""Connections of a parent: closing them would end, or roll back, what it is doing."""


class OwnConnection(Generic[C]):
    """At most one connection; whoever uses it holds `lock.own`."""

    def __init__(self, database: object) -> None:
        """Take whose connection it is."""
        self.lock: Final = ProcessLocal(RLock)
        self._connection: C | None = None
        self._pid = 0
        weakref.finalize(database, self._close_unused)

    def get(self) -> C | None:
        """Return this process's connection. One that a forked child inherits is neither used nor closed."""
        if self._connection is not None and self._pid != os.getpid():
            _INHERITED.append(self._connection)
            self._connection = None
        return self._connection

    def set(self, connection: C) -> C:
        """Keep a new connection; close the one before it."""
        self.close()
        self._connection, self._pid = connection, os.getpid()
        return connection

    def close(self) -> None:
        """Close it, where there is one."""
        connection, self._connection = self.get(), None
        if connection is not None:
            connection.close()

    def _close_unused(self) -> None:
        """Close it, unless a thread is using it while the process ends."""
        lock = self.lock.own
        if lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                lock.release()
