"""The key file of a SQLite state database: made on first use, readable by its owner only.

Layer 2; IO: the file.
"""

from __future__ import annotations

import os
from pathlib import Path

from connform.database.cipher import new_key
from connform.database.private_files import make_folder, open_private, unwritable
from connform.debug_log import STATE
from connform.errors import ConnectionFailed
from connform.secret import Secret

FILE = "key"
_MAX_BYTES = 1024


def key_file(folder: Path, *, may_create: bool) -> Secret:
    """Return the key in `folder`; with `may_create`, make a missing one.

    Raises:
        ConnectionFailed: `store_insecure`, `store_unwritable`, `store_key_wrong` if there is none.
    """
    path = folder / FILE
    STATE.write("the key of grants and tokens is in %s", path)
    try:
        return _read(path)
    except FileNotFoundError:
        if not may_create:
            message = f"there is no key in {path}, with which the grants were sealed"
            raise ConnectionFailed("store_key_wrong", message) from None
    make_folder(folder)
    _create(path)
    return _read(path)


def _read(path: Path) -> Secret:
    descriptor = open_private(path, os.O_RDONLY)
    try:
        return Secret(os.read(descriptor, _MAX_BYTES).decode("ascii", "replace").strip())
    finally:
        os.close(descriptor)


def _create(path: Path) -> None:
    """Write a new key to a temporary file, then link it to its name: if two processes do so at once, both use the first key."""
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{new_key()}\n".encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise unwritable(error, path) from None
