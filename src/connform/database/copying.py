"""Copying whole state databases into another one: their content, their grants and issued tokens sealed anew.

Layer 2, no IO of its own. The caller holds an exclusive transaction of each database, and commits those of the sources first: between the
commits, all of them are only read. So no grant can ever be renewed in two places, whenever the process ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import NamedTuple

from connform.database.cipher import Cipher
from connform.database.content import (
    CONTENT,
    FORMER_SPECS,
    RECORDS,
    ContentTable,
    Row,
    copy_rows,
    delete_rows,
    has_rows,
)
from connform.database.copy_marks import CopiedTo, CopyMarks, read_marks, write_marks
from connform.database.grant_table import GrantTable
from connform.database.interface import Execute
from connform.database.keyed_database import KeyedDatabase
from connform.database.record_rows import decode_text, encode_text
from connform.database.sealing import GRANTS, TOKENS, seal_anew
from connform.database.state_changes import repository_of, set_repository

_ID_BYTES = 16
SEALED = tuple(ContentTable(part.table, part.columns) for part in (GRANTS, TOKENS))
_NAMES = " UNION ".join(
    f"SELECT {each.columns[0]} FROM {each.name}"  # noqa: S608  (constants)
    for each in (*CONTENT, *SEALED)
    if each is not FORMER_SPECS
)
_DELETE_STAMPS = "DELETE FROM connform_stamps"
_FILE = RECORDS.columns.index("file")


class OpenDatabase(NamedTuple):
    """A database in an exclusive transaction."""

    keyed: KeyedDatabase
    """The database, with its key."""
    execute: Execute
    """Executes SQL in the transaction."""


def make_id(table: GrantTable) -> str:
    """Return the id of a state database, after making one where there is none."""
    with table.keyed.database.exclusive() as execute:
        marks = read_marks(execute)
        if not marks.id:
            marks = marks._replace(id=token_hex(_ID_BYTES))
            write_marks(execute, marks)
    return marks.id


def has_content(target: Execute) -> bool:
    """Whether a database holds anything that a copy would replace."""
    return any(has_rows(target, table) for table in (*CONTENT, *SEALED))


def names_in(execute: Execute) -> set[str]:
    """Return the names of the connections of which it holds anything."""
    return {name for (name,) in execute(_NAMES)}


def copy_content(
    sources: Sequence[OpenDatabase], target: OpenDatabase, files: Mapping[str, str], identity: Mapping[str, str]
) -> dict[str, int]:
    """Replace the content of a database by that of others, and return how many rows of each table were copied.

    Args:
        sources: the databases to copy, of which no two know the same connection.
        target: the one that takes their place.
        files: the recorded paths of manifests that are others in the target, by those of the sources.
        identity: the identity of the repository, for what the sources don't know of it.

    Raises:
        ConnectionFailed: `store_key_wrong`, `store_corrupt`, `secret_malformed`, or another fault of a database.
    """
    for table in (*CONTENT, *SEALED):
        delete_rows(target.execute, table)
    target.execute(_DELETE_STAMPS)
    recorded = {key: value for source in sources for key, value in repository_of(source.execute).items()}
    if identity or recorded:
        set_repository(target.execute, {**identity, **recorded})

    def with_path(row: Row) -> Row:
        path = decode_text(row[_FILE])
        return (*row[:_FILE], encode_text(files.get(path, path)), *row[_FILE + 1 :])

    counts = dict.fromkeys([table.name for table in (*CONTENT, *SEALED)], 0)
    seals: Cipher | None = None
    for source in sources:
        for table in CONTENT:
            change = with_path if table is RECORDS else None
            counts[table.name] += copy_rows(source.execute, target.execute, table, change)
        if not any(has_rows(source.execute, table) for table in SEALED):
            continue  # no key is needed
        seals = seals or target.keyed.cipher(target.execute, may_create=True)
        opens = source.keyed.cipher(source.execute)
        for part in (GRANTS, TOKENS):
            counts[part.table] += seal_anew(source.execute, opens, target.execute, seals, part)
    return counts


def mark_copied(sources: Iterable[OpenDatabase], target: OpenDatabase) -> None:
    """Record in the sources where they were copied to, and in the target which databases it has the content of."""
    marks = read_marks(target.execute)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    origins = set(marks.origins)
    for source in sources:
        before = read_marks(source.execute)
        of_source = CopyMarks(
            before.id or token_hex(_ID_BYTES), CopiedTo(marks.id, target.keyed.database.place, now), before.origins
        )
        write_marks(source.execute, of_source)
        origins.update((of_source.id, *of_source.origins))
    write_marks(target.execute, CopyMarks(marks.id, None, tuple(sorted(origins))))
