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
def file_errors(file: Path | None) -> Iterator[None]:
    """Raise `config_file_unreadable` instead of the errors of a file that is read inside."""
    try:
        yield
    except OSError as error:
        reason = _NO_PEM if isinstance(error, ssl.SSLError) else error.strerror
        raise ConnectionFailed(_FAULT, f"{file}: {reason}") from None
    except ValueError:  # OpenSSL got no certificate at all
        raise ConnectionFailed(_FAULT, f"{file}: {_NO_PEM}") from None


def read_certificates(file: Path) -> bytes:
    """Return the content of a file of certificates.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    with file_errors(file):
        return read_regular(file, _MAX_BYTES)


def file_version(file: Path) -> tuple[int, int]:
    """Return inode and modification time of a file that OpenSSL will open, after making sure that it is a regular file.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    with file_errors(file):
        status = require_regular(file, _MAX_BYTES)
    if not status.st_size:  # files of /proc have this size too, and may have no end
        raise ConnectionFailed(_FAULT, f"{file}: {_NO_PEM}")
    return status.st_ino, status.st_mtime_ns
