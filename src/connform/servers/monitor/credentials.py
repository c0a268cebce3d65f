"""Who may read a monitor: Bearer tokens and Basic users of a file, which is read anew when it changes. Layer 4; IO: that file.

One credential on each line: a token, or `user:password`. Lines that begin with `#` are comments.
"""

from __future__ import annotations

import binascii
import os
import stat
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest

from connform.errors import ConnformError
from connform.regular_files import read_regular
from connform.tracebacks import hidden_frames

_MAX_BYTES = 64 * 1024
_SHORTEST = 16
"""How many characters a token or a password needs."""
_FORBIDDEN = stat.S_IWGRP | stat.S_IRWXO
"""Others may do nothing, the group may read."""


class CredentialsUnreadable(ConnformError):
    """The file of credentials can't be used; the message holds nothing of it."""


class AdmittedCredentials:
    """The credentials of a file. While it can't be read, nobody gets in."""

    def __init__(self, path: str, log: Callable[[str], None]) -> None:
        """Read the file.

        Raises:
            CredentialsUnreadable: it can't be used.
        """
        self._path = path
        self._log = log
        self._seen = _stamp(path)
        self._digests = _read(path)

    def admit(self, authorization: str) -> bool:
        """Whether the value of a header `Authorization` is one of the credentials."""
        self._read_anew()
        scheme, _, given = authorization.partition(" ")
        given = given.strip()
        if scheme.lower() == "basic":
            try:
                given = b64decode(given, validate=True).decode()
            except (binascii.Error, ValueError):
                return False
            if ":" not in given:
                return False
        elif scheme.lower() != "bearer" or ":" in given:
            return False
        digest = _digest(given)
        found = [compare_digest(digest, one) for one in self._digests]  # all of them, whichever is right
        return any(found)

    def _read_anew(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._digests = _read(self._path)
            self._log(f"read {self._path} anew")
        except CredentialsUnreadable as error:
            self._digests = frozenset()
            self._log(f"nobody is admitted: {error}")


def _stamp(path: str) -> tuple[int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116  (as for `read_regular`)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode


def _read(path: str) -> frozenset[bytes]:
    with hidden_frames():
        try:
            found = os.stat(path).st_mode  # noqa: PTH116  (as for `read_regular`)
            mode = stat.S_IMODE(found)
            if stat.S_ISREG(found) and mode & _FORBIDDEN and not _is_mounted(path):
                raise CredentialsUnreadable(f"{path}: others may use it, its mode is {mode:04o}; chmod 0600 {path}")
            text = read_regular(path, _MAX_BYTES).decode()
        except OSError as error:
            raise CredentialsUnreadable(f"{path} can't be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CredentialsUnreadable(f"{path} is not UTF-8") from None
        lines = {number: line.strip() for number, line in enumerate(text.splitlines(), 1)}
        used = {number: line for number, line in lines.items() if line and not line.startswith("#")}
        for number, line in used.items():
            if len(line.partition(":")[2] if ":" in line else line) < _SHORTEST:
                message = f"{path}:{number}: a token or password needs {_SHORTEST} characters; `openssl rand -hex 32` makes one"
                raise CredentialsUnreadable(message)
        if not used:
            message = f"{path} has no line with a token or `user:password`"
            raise CredentialsUnreadable(message)
        return frozenset(map(_digest, used.values()))


def _is_mounted(path: str) -> bool:
    """Whether a file lies on a read-only mount, as the secrets of Kubernetes do: readable for every user of the container, who is one."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _digest(credential: str) -> bytes:
    return sha256(credential.encode(errors="surrogateescape")).digest()
