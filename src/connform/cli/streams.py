"""Standard streams: replaces those that are closed, and says whether a person can be asked. Layer 5. IO: descriptors 0 to 2.

Some supervisors start programs with streams closed. Python then sets the stream to `None`, and the next file that is
opened gets its descriptor: what a library writes to standard error would end up in that file.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def restore_streams() -> None:
    """Open closed outputs on the null device; ignore errors of writing to standard error. A closed `sys.stdin` stays `None`."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003  (the lowest free descriptor: this one)
    if sys.stdout is None:
        sys.stdout = _null_device()
    if sys.stderr is None:
        sys.stderr = _null_device()
    elif isinstance(sys.stderr, io.TextIOWrapper):
        raw = io.BufferedWriter(_ErrorIgnoringFile(sys.stderr.fileno(), "wb", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, sys.stderr.encoding, sys.stderr.errors, line_buffering=True)


def is_attended() -> bool:
    """Return whether a person can be asked: standard input and standard error are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _null_device() -> io.TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  (pathlib would cost start-up; open until the end)


class _ErrorIgnoringFile(io.FileIO):
    """Standard error of which errors are ignored, as of a full disk or a closed pipe: they change no exit code."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes
