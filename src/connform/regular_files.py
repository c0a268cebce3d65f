"""Reads regular files up to a size limit; refuses pipes, devices, sockets, folders. Layer 0; reads files, never waits.

A device is not even opened: opening alone can rewind a tape, allocate a terminal or start a watchdog.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

_CHUNK_BYTES = 256 * 1024
_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularError(OSError):
    """The path exists, and is not a regular file."""

    def __init__(self, mode: int) -> None:
        kind = next((kind for fits, kind in _KINDS if fits(mode)), "something else")
        super().__init__(errno.EINVAL, f"it is {kind}, not a regular file")


class TooLargeError(OSError):
    """The file is larger than the limit."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(errno.EFBIG, f"it is larger than {max_bytes // 1024} KiB")


def read_regular(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Raises:
        NotRegularError: it is not a regular file.
        TooLargeError: it is larger than `max_bytes`.
        OSError: it can't be read, or not without waiting (`/proc/kmsg`).
    """
    descriptor = open_regular(path, max_bytes)
    try:
        return read_descriptor(descriptor, max_bytes)
    finally:
        os.close(descriptor)


def open_regular(path: str | os.PathLike[str], max_bytes: int) -> int:
    """Return a descriptor of a regular file; errors as for `read_regular`."""
    require_regular(path, max_bytes)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        _require_status(os.fstat(descriptor), max_bytes)  # it may have been replaced since `stat`
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def require_regular(path: str | os.PathLike[str], max_bytes: int) -> os.stat_result:
    """Return the status of a regular file of at most `max_bytes`, without opening it; errors as for `read_regular`."""
    status = os.stat(path)
    _require_status(status, max_bytes)
    return status


def read_descriptor(descriptor: int, max_bytes: int) -> bytes:
    """Return the content of a descriptor until its end; errors as for `read_regular`."""
    chunks: list[bytes] = []
    left = max_bytes + 1
    try:
        while left > 0 and (chunk := os.read(descriptor, min(left, _CHUNK_BYTES))):
            chunks.append(chunk)
            left -= len(chunk)
        if left <= 0:
            raise TooLargeError(max_bytes)
        return b"".join(chunks)
    finally:
        chunks.clear()  # the content may be a secret, which no traceback may hold
        chunk = b""


def _require_status(status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(status.st_mode)
    if status.st_size > max_bytes:
        raise TooLargeError(max_bytes)
