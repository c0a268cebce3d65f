"""Turns a lock into one of this process: a forked child has a free one, whoever held it in the parent.

Layer 2, no IO.
"""

from __future__ import annotations

import os
from threading import RLock


class OwnLock:
    """A re-entrant lock of the threads of one process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._pid = os.getpid()

    def __enter__(self) -> None:
        if self._pid != os.getpid():  # its holder did not come along
            self._lock, self._pid = RLock(), os.getpid()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
