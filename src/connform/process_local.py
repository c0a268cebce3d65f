"""A value that every process makes for itself, so that a forked child doesn't use its parent's.

Layer 0, no IO. After a fork, the child has a copy of the parent's objects but none of its other threads: a lock that
such a thread held is never released, a result that it was computing never comes, and a connection is shared by both
processes. The process id is compared at each use, because hooks of `os.register_at_fork` don't run in servers that
fork in C.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ProcessLocal(Generic[T]):
    """A value for each process, made when it is first read; safe to share between threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Set the function that makes the value. Threads may call it at the same time; all get the same result."""
        self._make = make
        self._values: dict[int, T] = {}

    @property
    def own(self) -> T:
        """The value of this process. The parent's value is dropped without closing it, which might send something."""
        pid = os.getpid()
        try:
            return self._values[pid]
        except KeyError:
            value = self._values.setdefault(pid, self._make())
        for other in set(self._values) - {pid}:
            self._values.pop(other, None)
        return value
