"""Turns new bytes into the content of a manifest's file, as a whole or not at all. Layer 1; writes that file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from tempfile import mkstemp


def replace_content(name: str, content: bytes) -> None:
    """Give an existing file new content; its mode and its owner stay, and a symbolic link still leads to it.

    Raises:
        OSError: it can't be written, or not without another owner.
    """
    path = Path(os.path.realpath(name))
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("r+b"):
        pass  # asks whether this user may write it: to put another file in its place takes no such right
    descriptor, draft_name = mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    draft = Path(draft_name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  (a descriptor has no path)
            file.write(content)
        mine = draft.stat()
        if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
            os.chown(draft, status.st_uid, status.st_gid)
        draft.chmod(stat.S_IMODE(status.st_mode))
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise
