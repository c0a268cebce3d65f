"""Pending refreshes: whether the process that began one may still receive its answer.

Layer 2; asks the operating system about processes of this host. A process can lose its database session, and with it the lock, while
it still waits for the answer. The next holder of the lock must then not send the same refresh token.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from connform.auth.oauth.token_call import CALL_S
from connform.grant import Pending

MAX_AGE = timedelta(seconds=CALL_S + 30)
"""The longest that a refresh can be pending: one call, and time to write its answer. The process that began an older one has ended.
A refresh from the future, by a clock that is ahead, is judged in the same way."""
_RUNNING: list[tuple[int, str]] = []
"""Process id and connection of each refresh that runs in this process. The id tells a forked child that an entry is its parent's."""


@contextmanager
def track_refresh(connection: str) -> Iterator[None]:
    """Register a refresh of a grant during the block, for the other threads of this process."""
    entry = (os.getpid(), connection)
    _RUNNING.append(entry)
    try:
        yield
    finally:
        _RUNNING.remove(entry)


def is_under_way(pending: Pending, connection: str, now: datetime) -> bool:
    """Return whether the process that began the refresh may still receive the answer."""
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
    except PermissionError:  # the process belongs to another user
        return True
    return True
