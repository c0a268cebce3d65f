"""Atomic replacement of a file's content. Layer 1; writes that file, and a temporary file beside it."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from connform.manifest.links import Links
from connform.regular_files import NotRegularError

_MOUNTS = {errno.EBUSY, errno.EXDEV}
"""Errors of rename(2) for a file that is a mount of its own, as in containers."""
_OTHERS = 0o077
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_OLD = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def replace_content(name: str, content: bytes) -> None:
    """Replace the content of an existing file; its mode, owner and links, symbolic and hard, stay.

    Raises:
        OSError: it can't be written, or a symbolic link leads out of its repository.
    """
    path = Path(Links().follow(name))
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(status.st_mode)
    with path.open("r+b"):
        pass  # checks that this user may write the file, because replacing it needs no such permission
    if status.st_nlink > 1:
        _write_in_place(path, content)
        return
    draft = _draft_beside(path, content, 0o600)
    try:
        draft_status = draft.stat()
        if (draft_status.st_uid, draft_status.st_gid) != (status.st_uid, status.st_gid):
            os.chown(draft, status.st_uid, status.st_gid)
        draft.chmod(stat.S_IMODE(status.st_mode))
        draft.replace(path)
    except OSError as error:
        draft.unlink()
        if error.errno not in _MOUNTS | {errno.EPERM}:  # the latter: it belongs to another user
            raise
        _write_in_place(path, content)
    except BaseException:
        draft.unlink()
        raise


def write_whole(path: Path, content: bytes | memoryview, *, is_private: bool = False) -> None:
    """Write a new file, or replace a file by a new one of this user; other hard links keep the old content.

    Args:
        path: a real path.
        content: the new content.
        is_private: whether only this user may read it, from the first byte on.

    Raises:
        OSError: it can't be written.
    """
    draft = _draft_beside(path, content, 0o600 if is_private else 0o666)
    try:
        draft.replace(path)
    except OSError as error:
        draft.unlink()
        if error.errno in _MOUNTS:
            _write_in_place(path, content, is_private=is_private)
            return
        if error.errno in {errno.EPERM, errno.EACCES} and path.parent.stat().st_mode & stat.S_ISVTX:
            message = "it belongs to another user, in a folder where only owners replace files: name another file"
            raise OSError(error.errno, message) from None
        raise
    except BaseException:
        draft.unlink()
        raise


def _draft_beside(path: Path, content: bytes | memoryview, mode: int) -> Path:
    """Write content to a new temporary file in the same folder, with a random name, and return its path."""
    draft = path.with_name(f".connform.{os.urandom(8).hex()}.tmp")
    descriptor = os.open(draft, _NEW, mode)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  (a descriptor has no path)
            file.write(content)
    except BaseException:
        draft.unlink()
        raise
    return draft


def _write_in_place(path: Path, content: bytes | memoryview, *, is_private: bool = False) -> None:
    """Overwrite a file that can't be replaced. An error is undone, but a killed process may leave mixed content."""
    descriptor = os.open(path, _OLD)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError(status.st_mode)
        if is_private and (status.st_uid != os.geteuid() or status.st_mode & _OTHERS):
            raise OSError(
                errno.EPERM,
                "it is a mount of its own that others can reach: mount its folder instead, or make it yours and 0600",
            )
        before = _read(descriptor, status.st_size)
        try:
            _overwrite(descriptor, content)
        except OSError:
            with suppress(OSError):
                _overwrite(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int) -> bytes:
    with open(os.dup(descriptor), "rb") as file:  # noqa: PTH123  (a descriptor has no path)
        return file.read(size)


def _overwrite(descriptor: int, content: bytes | memoryview) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], written)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)
