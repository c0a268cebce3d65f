"""The state database: opens the tables of grants (with that of issued tokens) and of applied records in SQLite or PostgreSQL.

Layer 2. Each kind of database has a module, and an entry in `_OPENERS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from connform.errors import ConnectionFailed
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.database.check_table import CheckTable
    from connform.database.grant_table import GrantTable
    from connform.database.interface import Database
    from connform.database.schedule_table import ScheduleTable
    from connform.database.state_table import StateTable


def open_grants(url: str, folder: Path, key: Callable[[], Secret] | None) -> GrantTable:
    """Return the table of grants in the database of a URL. The database is opened at the first use.

    Args:
        url: `sqlite:///folder` or `postgresql://…`, which may contain a password; empty for SQLite in `folder`.
        folder: the default folder.
        key: returns the key of the grants; `None` for a key file in the folder of a SQLite database.

    Raises:
        ConnectionFailed: `config_invalid`; `store_unavailable` if an optional library is missing.
    """
    from connform.database.grant_table import GrantTable
    from connform.database.keyed_database import KeyedDatabase
    from connform.database.keys import key_files

    with hidden_frames():
        database = _open(url, folder)

    def state_keys(is_new: bool) -> Iterable[Secret]:  # noqa: FBT001  (its only argument)
        if key is not None:
            return [key()]
        if database.folder is not None:
            return key_files(database.folder, may_create=is_new)
        message = "a server keeps grants and tokens for many machines: the key must be one that they share"
        hint = "name it: --state-key env://CONNFORM_KEY, to copy a state --to-key (`openssl rand -base64 32` makes one)"
        raise ConnectionFailed("store_key_wrong", message, hint)

    return GrantTable(KeyedDatabase(database, state_keys))


def open_state(url: str, folder: Path) -> StateTable:
    """Return the table of applied records in the same database; arguments and errors as for `open_grants`."""
    from connform.database.state_table import StateTable

    with hidden_frames():
        return StateTable(_open(url, folder))


def open_schedule(url: str, folder: Path, replica: str) -> ScheduleTable:
    """Return the schedule of checks in the same database, for a replica of `monitor`; other arguments and errors as for `open_grants`."""
    from connform.database.schedule_table import ScheduleTable

    with hidden_frames():
        return ScheduleTable(_open(url, folder), replica)


def open_checks(url: str, folder: Path) -> CheckTable:
    """Return the table of recorded checks in the same database; arguments and errors as for `open_grants`."""
    from connform.database.check_table import CheckTable

    with hidden_frames():
        return CheckTable(_open(url, folder))


def is_made(url: str, folder: Path) -> bool:
    """Whether a state database is named by its URL, or was made in the default folder; arguments as for `open_grants`."""
    from connform.database.sqlite import FILE

    return bool(url) or os.path.isfile(folder / FILE)  # noqa: PTH113  (pathlib raises where the folder can't be entered)


def folder_of(url: str, folder: Path) -> Path | None:
    """Return the folder of the database of a URL; `None` for a server. Arguments as for `open_grants`."""
    scheme, _, rest = url.partition("://")
    if not url:
        return folder
    return _folder(rest) if scheme.lower() == "sqlite" else None


def _folder(path: str) -> Path:
    """Return the folder that stands behind `sqlite://` in a URL.

    Raises:
        ConnectionFailed: `config_invalid`.
    """
    if not path.startswith("/") or path == "/" or {"?", "#"}.intersection(path):
        message = "the URL of a state folder has three slashes, an absolute path, and nothing behind it"
        raise ConnectionFailed("config_invalid", message, "write sqlite:///FOLDER, such as sqlite:///srv/connform")
    return Path(unquote(path))


def _open(url: str, folder: Path) -> Database:
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if url and not (separator and scheme in _OPENERS):
        message = "the URL of the state has no known scheme"
        raise ConnectionFailed("config_invalid", message, "write sqlite:///FOLDER or postgresql://…")
    return _OPENERS[scheme or "sqlite"](f"{scheme}://{rest}", folder_of(url, folder))


def _sqlite(_url: str, folder: Path | None) -> Database:
    from connform.database.sqlite import SqliteDatabase

    assert folder is not None  # noqa: S101  (as `folder_of` says)
    return SqliteDatabase(folder)


def _postgres(url: str, _folder: Path | None) -> Database:
    from connform.database.postgres import PostgresDatabase

    return PostgresDatabase(url)


_OPENERS: dict[str, Callable[[str, Path | None], Database]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,  # libpq takes both
}
