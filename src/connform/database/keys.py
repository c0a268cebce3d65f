"""The key file of a SQLite state database: made on first use, replaced by `state rotate-key`, readable by its owner only.

Layer 2; IO: the file. While a rotation is under way, or was cut off, the new key lies beside it: one of the two is the key of the database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from connform.database.cipher import new_key
from connform.database.private_files import make_folder, open_private, unwritable
from connform.debug_log import STATE
from connform.errors import ConnectionFailed
from connform.secret import Secret

FILE = "key"
NEW_FILE = "key.new"
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


def key_files(folder: Path, *, may_create: bool) -> Iterator[Secret]:
    """Yield the key in `folder`, then the one that is to replace it, or that has meanwhile; arguments and errors as for `key_file`."""
    yield key_file(folder, may_create=may_create)
    try:
        yield _read(folder / NEW_FILE)
    except FileNotFoundError:
        yield key_file(folder, may_create=False)


def make_new_key(folder: Path) -> Secret:
    """Make the key that is to replace the one in `folder`; one that a rotation left which was cut off is deleted.

    The caller excludes other rotations, and has checked that the database was not sealed with that one.

    Raises:
        ConnectionFailed: `store_insecure`, `store_unwritable`.
    """
    path = folder / NEW_FILE
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(error, path) from None
    _create(path)
    return _read(path)


def adopt_new_key(folder: Path) -> None:
    """Replace the key in `folder` by the new one; errors as for `make_new_key`."""
    try:
        (folder / NEW_FILE).replace(folder / FILE)
        _sync(folder)
    except OSError as error:
        raise unwritable(error, folder / FILE) from None


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
        _sync(path.parent)
    except OSError as error:
        raise unwritable(error, path) from None


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
