"""Pending refreshes: whether the process that began one may still receive its answer.

Layer 2; asks the operating system about processes of this host. A lock that ends with a database session can be lost by a process that
still waits for its answer: whoever gets the lock then must not spend the same token.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from connform.auth.oauth.token_endpoint import CALL_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connform.grant import Pending

MAX_AGE: Final = timedelta(seconds=CALL_S + 30)
"""From a journal entry to its answer in the store; whoever wrote an older one is dead, wherever it was. Clocks may differ by as much."""
_RUNNING: Final[list[tuple[int, str]]] = []
"""What this process refreshes right now. With its own number: a process that was forked inherits the list, not the work."""


@contextmanager
def track_refresh(connection: str) -> Iterator[None]:
    """Let the other threads of this process know that the grant of a connection is being refreshed."""
    entry = (os.getpid(), connection)
    _RUNNING.append(entry)
    try:
        yield
    finally:
        _RUNNING.remove(entry)


def is_under_way(pending: Pending, connection: str, now: datetime) -> bool:
    """Return whether somebody may still get the answer; an entry without a process has none who waits."""
    host, _, pid = pending.holder.rpartition(":")
    if not pid.isdecimal() or abs(now - pending.since) > MAX_AGE:
        return False
    if host != os.uname().nodename:
        return True
    return (os.getpid(), connection) in _RUNNING if int(pid) == os.getpid() else _is_alive(int(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True
