"""The interface of a state database (`Database`): transactions and named locks.

Layer 2, no IO: `sqlite` and `postgres` are the kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    Execute: TypeAlias = Callable[..., list[tuple[Any, ...]]]
    """Takes SQL with `?` for values, and the values; returns the rows."""


class LockTimeout(Exception):
    """Nobody freed the lock in time; the message says who holds it, where that is known."""


class Database(Protocol):
    """What keeps rows. Its errors are faults of the store already."""

    place: str
    """For people; without a password."""

    @property
    def folder(self) -> Path | None:
        """Where it lies on this machine; `None` on a server."""

    def reading(self) -> AbstractContextManager[Execute | None]:
        """Return a context to read in; `None` where there is nothing yet."""

    def writing(self) -> AbstractContextManager[Execute]:
        """Return a context that is one durable transaction."""

    def lock(self, name: str, timeout_s: float) -> AbstractContextManager[None]:
        """Return a context in which nobody else holds this name; entering raises `LockTimeout`."""

    def lock_all(
        self, names: Sequence[str], timeout_s: float
    ) -> AbstractContextManager[Callable[[], AbstractContextManager[Execute]]]:
        """Return a context in which nobody else holds any of these names; entering raises `LockTimeout`.

        It yields a `writing` that writes nothing once the names have been lost.
        """

    def close(self) -> None:
        """Let go of files and connections."""
