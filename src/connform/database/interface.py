"""The interface of a state database (`Database`): transactions and named locks.

Layer 2, no IO; implemented by `sqlite` and `postgres`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

Execute: TypeAlias = Callable[..., list[tuple[Any, ...]]]
"""Executes SQL with `?` as placeholders, and a sequence of values; returns the rows."""


GRANTS_SCHEMA = 3
"""The version of the schema with today's tables of grants and records. To be read, an older database is brought forward."""
TOKENS_SCHEMA = 4
"""The version of the schema that added the table of issued tokens."""
CHECKS_SCHEMA = 6
"""The version of the schema that added the tables of recorded checks, and the schedule of `monitor`."""
_SINCE = r" since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$"


class LockTimeout(Exception):
    """A lock was not free in time; the message names its holder if known."""

    def __init__(self, message: str, now: datetime | None = None) -> None:
        """Take the message, which ends with ` since ` and an ISO 8601 time if that is known, and the current time of the same clock."""
        super().__init__(message)
        since = re.search(_SINCE, message)
        self.held_s = abs(now - datetime.fromisoformat(since[1])).total_seconds() if now and since else 0.0
        """For how many seconds its holder has had it; 0 if unknown. A time in the future, of a clock that was set back, is judged alike."""


class Database(Protocol):
    """A database. Its errors are faults already (`ConnectionFailed`)."""

    place: str
    """The name of the database in messages; without a password."""

    @property
    def folder(self) -> Path | None:
        """Its folder on this machine; `None` for a server."""

    def reading(self, schema: int = GRANTS_SCHEMA) -> AbstractContextManager[Execute | None]:
        """Return a context that yields a function to read with.

        Args:
            schema: the version of the schema that added the table to read; `GRANTS_SCHEMA` or later. The context yields `None` if
                nothing was written yet, or only with an earlier version.
        """

    def writing(self) -> AbstractContextManager[Execute]:
        """Return a context that is one durable transaction. It brings an older schema forward first.

        Entering it raises `store_unwritable` if the database was copied to another one.
        """

    def exclusive(self) -> AbstractContextManager[Execute]:
        """Return the same for `state copy` and `state rotate-key`: no other process writes meanwhile, nor has read to write later.

        It is also there for a database that was copied.
        """

    def lock(self, name: str, timeout_s: float) -> AbstractContextManager[None]:
        """Return a context that locks a name. Entering it raises `LockTimeout`."""

    def lock_all(
        self, names: Sequence[str], timeout_s: float
    ) -> AbstractContextManager[Callable[[], AbstractContextManager[Execute]]]:
        """Return a context that locks several names. Entering it raises `LockTimeout`.

        It yields a function like `writing`, which fails after the locks were lost.
        """

    def close(self) -> None:
        """Close files and connections."""
