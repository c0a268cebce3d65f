"""Opens files that hold secrets, after checking that no other user can read or replace them.

Layer 2; opens files and makes the folder. As `ssh` requires of keys: owned by this user, no access for others, no symbolic link.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from connform.errors import ConnectionFailed

_OTHERS = 0o077
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_MORE_FILES = "this process may open no more files, of which `apply` needs some hundred for its locks: raise the limit (`ulimit -n`)"


def open_private(path: Path, flags: int) -> int:
    """Return a descriptor of a file that only this user can access; `os.O_CREAT` makes a missing one.

    Raises:
        FileNotFoundError: there is no such file.
        ConnectionFailed: `store_insecure`, `store_unwritable`.
    """
    _check_folder(path.parent)
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, _FILE_MODE)
    except OSError as error:
        raise _open_failure(error, path) from None
    try:
        _check(os.fstat(descriptor), path, stat.S_ISREG, "a regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_private(path: Path) -> None:
    """Check the same without opening the file; errors as for `open_private`.

    For files with fcntl locks: if a process closes any descriptor of such a file, it loses all its locks on it.
    """
    _check_folder(path.parent)
    status = _status(path)
    if stat.S_ISLNK(status.st_mode):
        raise ConnectionFailed("store_insecure", f"{path} is a link")
    _check(status, path, stat.S_ISREG, "a regular file")


def make_folder(path: Path) -> None:
    """Make a folder that only this user can access; do nothing if it exists.

    Raises:
        ConnectionFailed: `store_unwritable`.
    """
    try:
        path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise unwritable(error, path) from None
    _require_entrance(_status(path), path)


def ignore_in_git(folder: Path) -> None:
    """Let Git ignore everything in a private folder, so that nobody commits it by mistake; do nothing where that can't be written."""
    with suppress(OSError):
        descriptor = os.open(folder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(descriptor, "w") as file:
            file.write("*\n")


def unwritable(error: OSError, path: Path) -> ConnectionFailed:
    """Return the fault of a file or folder that can't be written."""
    hint = _MORE_FILES if error.errno in {errno.EMFILE, errno.ENFILE} else ""
    return ConnectionFailed("store_unwritable", f"{path}: {error.strerror}", hint)


def _check_folder(path: Path) -> None:
    status = _status(path)
    _check(status, path, stat.S_ISDIR, "a folder")
    _require_entrance(status, path)


def _require_entrance(status: os.stat_result, path: Path) -> None:
    if not status.st_mode & stat.S_IXUSR:
        message = f"{path} can't be entered: its mode is {stat.S_IMODE(status.st_mode):04o}, and a folder needs 0700"
        raise ConnectionFailed("store_unwritable", message, f"chmod 0700 {path}; 0600 is for the files in it")


def _status(path: Path) -> os.stat_result:
    """Return the status of a file or folder without following links. A missing one raises `FileNotFoundError`, other errors a fault."""
    try:
        return path.lstat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unwritable(error, path) from None


def _check(status: os.stat_result, path: Path, is_kind: object, kind: str) -> None:
    if not callable(is_kind) or not is_kind(status.st_mode):
        raise ConnectionFailed("store_insecure", f"{path} is not {kind}: links and devices are refused")
    if status.st_uid != os.geteuid():
        raise ConnectionFailed("store_insecure", f"{path} belongs to another user (uid {status.st_uid})")
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise ConnectionFailed("store_insecure", f"{path} can be reached by others (mode {mode:04o})")


def _open_failure(error: OSError, path: Path) -> Exception:
    if error.errno == errno.ENOENT:
        return error
    if error.errno == errno.ELOOP:
        return ConnectionFailed("store_insecure", f"{path} is a link")
    return unwritable(error, path)
