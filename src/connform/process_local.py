"""A value that every process makes for itself, so that a forked child doesn't use its parent's.

Layer 0, no IO. A lock that another thread held at the fork would never be released in the child, and a result that another
thread was working out would never come; a connection would be shared by both processes. The number of the process is
compared at each use: hooks of `os.register_at_fork` do not run in servers that fork in C.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ProcessLocal(Generic[T]):
    """A value of this process, made when it is first asked for; safe to share between threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Take what makes the value; threads that ask for the first time at once may each call it, and one result is taken."""
        self._make = make
        self._values: dict[int, T] = {}

    @property
    def own(self) -> T:
        """The value of this process. What is inherited is dropped, not closed: whatever closing would send is its parent's to send."""
        pid = os.getpid()
        try:
            return self._values[pid]
        except KeyError:
            value = self._values.setdefault(pid, self._make())
        for other in set(self._values) - {pid}:
            self._values.pop(other, None)
        return value
