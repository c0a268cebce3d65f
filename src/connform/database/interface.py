"""The interface of a state database (`Database`): transactions and named locks.

Layer 2, no IO; implemented by `sqlite` and `postgres`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

Execute: TypeAlias = Callable[..., list[tuple[Any, ...]]]
"""Executes SQL with `?` as placeholders, and a sequence of values; returns the rows."""


class LockTimeout(Exception):
    """A lock was not free in time; the message names its holder if known."""


class Database(Protocol):
    """A database. Its errors are faults already (`ConnectionFailed`)."""

    place: str
    """The name of the database in messages; without a password."""

    @property
    def folder(self) -> Path | None:
        """Its folder on this machine; `None` for a server."""

    def reading(self) -> AbstractContextManager[Execute | None]:
        """Return a context that yields a function to read with; it yields `None` if nothing was written yet."""

    def writing(self) -> AbstractContextManager[Execute]:
        """Return a context that is one durable transaction."""

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
