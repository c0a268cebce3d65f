"""Reader of what a command line names: regular files, `-`, `/dev/stdin` and `<(…)`. Layer 1; reads them."""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

from connform.manifest.links import Links
from connform.regular_files import TooLargeError, open_regular, read_descriptor, read_regular

STDIN: Final = "-"
_DESCRIPTORS: Final = ("/dev/fd", "/proc/self/fd")


def is_given(place: str) -> bool:
    """Whether a path, as `Links.follow` returns it, stands for something that this process has open, and can read once."""
    return place == STDIN or os.path.dirname(place) in _DESCRIPTORS


def read_given(place: str, max_bytes: int) -> bytes:
    """Return what comes from there until its end.

    Raises:
        TooLargeError: that is more than `max_bytes`.
        OSError: it can't be read.
    """
    if place == STDIN and sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    if place != STDIN:
        with open(place, "rb", opener=_open) as file:
            return read_descriptor(file.fileno(), max_bytes)
    data = sys.stdin.buffer.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLargeError(max_bytes)
    return data


def read_place(place: str, max_bytes: int) -> bytes:
    """Return the content of a regular file, or of what is given, at a path as `Links.follow` returns it; errors of both."""
    return read_given(place, max_bytes) if is_given(place) else read_regular(place, max_bytes)


def check_place(place: str, max_bytes: int) -> None:
    """Make sure that a file can be read, and leave it unread; errors as for `read_place`."""
    if not is_given(place):
        os.close(open_regular(place, max_bytes))


def read_named(path: str, max_bytes: int) -> bytes:
    """Return the content of a file that a command line names; errors as for `read_place` and `Links.follow`."""
    return read_place(Links().follow(path), max_bytes)


def _open(place: str, flags: int) -> int:
    """Open a pipe without waiting for its other end: one that nobody writes to is empty."""
    descriptor = os.open(place, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor
