"""Named locks between threads and processes of one machine, as locked files (flock(2)).

Layer 2; IO: the lock files, which contain the name of the holder. The operating system frees a lock when its process ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from connform.database.interface import LockTimeout
from connform.database.private_files import make_folder, open_private
from connform.debug_log import STATE

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.05
_LOCK_FILES: set[int] = set()
"""The open lock files of this process: of locks that it holds or waits for."""


@contextmanager
def lock_file(folder: Path, name: str, timeout_s: float) -> Iterator[None]:
    """Hold the lock of a name. Each call opens the file itself, so that threads exclude each other as well (flock(2)).

    The file is not deleted: otherwise two processes could lock different files of that name.

    Raises:
        LockTimeout: it was not free within `timeout_s`.
        ConnectionFailed: `store_insecure`, `store_unwritable`.
    """
    make_folder(folder)
    descriptor = open_private(folder / name, os.O_RDWR | os.O_CREAT)
    _LOCK_FILES.add(descriptor)
    began_at = monotonic()
    try:
        _wait(descriptor, timeout_s)
        _write_holder(descriptor)
        STATE.write("holds the lock %s, after %.1f ms", folder / name, (monotonic() - began_at) * 1000)
        yield
    finally:
        # not in a child that was forked inside of the block: the lock belongs to its parent
        if descriptor in _LOCK_FILES:
            _LOCK_FILES.remove(descriptor)
            # closing alone would not free it while a forked child has the file open
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def _close_inherited() -> None:
    """Close the lock files in a forked child: otherwise a lock would last until the child ends."""
    while _LOCK_FILES:
        os.close(_LOCK_FILES.pop())


os.register_at_fork(after_in_child=_close_inherited)


def _wait(descriptor: int, timeout_s: float) -> None:
    ends_at = monotonic() + timeout_s
    pause_s = _FIRST_PAUSE_S
    has_waited = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remaining_s = ends_at - monotonic()
            if remaining_s <= 0:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
                raise LockTimeout(holder or "nobody says who holds it", datetime.now(UTC)) from None
            if STATE.is_on and not has_waited:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
                STATE.write("waits for a lock, %.1f s at most: %s", remaining_s, holder or "nobody says who holds it")
            has_waited = True
            sleep(min(pause_s, remaining_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        else:
            return


def _write_holder(descriptor: int) -> None:
    """Write who holds the lock, for messages of other processes; a full disk is ignored."""
    line = f"{os.uname().nodename}:{os.getpid()} has held it since {datetime.now(UTC):%FT%TZ}\n"
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, line.encode(), 0)
