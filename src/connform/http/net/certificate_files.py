"""Reads certificate and key files; errors name the file. Layer 1; reads files, waits for no pipe or device."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from connform.errors import ConnectionFailed
from connform.regular_files import read_regular, require_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FAULT: Final = "config_file_unreadable"
_MAX_BYTES: Final = 8 * 1024 * 1024
"""A bundle of all public authorities has 0.25 MiB."""
_NO_PEM: Final = "it holds no usable PEM certificate or key"


@contextmanager
def reading(file: Path | None) -> Iterator[None]:
    """Raise `config_file_unreadable` for what is wrong with a file."""
    try:
        yield
    except OSError as error:
        why = _NO_PEM if isinstance(error, ssl.SSLError) else error.strerror
        raise ConnectionFailed(_FAULT, f"{file}: {why}") from None
    except ValueError:  # there is nothing in it
        raise ConnectionFailed(_FAULT, f"{file}: {_NO_PEM}") from None


def content(file: Path) -> bytes:
    """Return what is in a file of certificates.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    with reading(file):
        return read_regular(file, _MAX_BYTES)


def version(file: Path) -> tuple[int, int]:
    """Return the inode and the time of a file that OpenSSL will open, once it is clear that it need not wait there; errors as for `content`."""
    with reading(file):
        status = require_regular(file, _MAX_BYTES)
    if not status.st_size:  # so has what the kernel makes up while it is read, perhaps without an end
        raise ConnectionFailed(_FAULT, f"{file}: {_NO_PEM}")
    return status.st_ino, status.st_mtime_ns
