"""Reader of what a command line names: regular files, `-`, `/dev/stdin` and `<(…)`. Layer 1; reads them."""

from __future__ import annotations

import errno
import os
import sys

from connform.manifest.links import Links
from connform.regular_files import TooLargeError, open_regular, read_descriptor, read_regular

STDIN = "-"
_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")


def is_open_descriptor(place: str) -> bool:
    """Whether a path, as `Links.follow` returns it, is an open descriptor of this process, which can be read once."""
    return place == STDIN or os.path.dirname(place) in _DESCRIPTORS


def read_open_descriptor(place: str, max_bytes: int) -> bytes:
    """Return the content of an open descriptor.

    Raises:
        TooLargeError: it is larger than `max_bytes`.
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
    """Return the content of a regular file or open descriptor; the path is one that `Links.follow` returned.

    Raises:
        TooLargeError: it is larger than `max_bytes`.
        OSError: it can't be read.
    """
    return read_open_descriptor(place, max_bytes) if is_open_descriptor(place) else read_regular(place, max_bytes)


def check_place(place: str, max_bytes: int) -> None:
    """Make sure that a file can be opened, without reading it; errors as for `read_place`."""
    if not is_open_descriptor(place):
        os.close(open_regular(place, max_bytes))


def read_argument(path: str, max_bytes: int) -> bytes:
    """Return the content of a file that a command line names; errors as for `read_place` and `Links.follow`."""
    return read_place(Links().follow(path), max_bytes)


def _open(place: str, flags: int) -> int:
    """Open a pipe without waiting for a writer; without one, it is empty."""
    descriptor = os.open(place, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor
