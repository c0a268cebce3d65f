"""Sealing the grants and issued tokens of a state database anew, with another key, in it or in another database.

Layer 2, no IO of its own. An issued token that can't be decrypted is left out: another one can be obtained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from connform.database import grant_rows, token_rows
from connform.database.cipher import Cipher
from connform.database.content import insert
from connform.database.interface import Execute

_PAGE_ROWS = 200


class SealedPart(NamedTuple):
    """The grants or the issued tokens, each with a row and a stamp."""

    table: str
    """The table of the rows."""
    columns: tuple[str, ...]
    """Its columns, the connection first."""
    stamp_name: Callable[[str], str]
    """Returns the name of the stamp of a connection's row, which ends with that of the connection."""
    seal_anew: Callable[[Sequence[Any], Cipher, Cipher, bytes], tuple[Any, ...] | None]
    """Returns the row sealed with another cipher and a new stamp, of the row with its stamp behind it; `None` to leave it out."""


def _seal_grant(row: Sequence[Any], opens: Cipher, seals: Cipher, stamp: bytes) -> tuple[Any, ...]:
    return grant_rows.row_of(grant_rows.grant_of(row, opens), seals, stamp)


def _seal_token(row: Sequence[Any], opens: Cipher, seals: Cipher, stamp: bytes) -> tuple[Any, ...] | None:
    token = token_rows.token_of(row, opens)
    return token_rows.row_of(token, seals, stamp) if token else None


GRANTS = SealedPart("connform_grants", grant_rows.COLUMNS, str, _seal_grant)
TOKENS = SealedPart("connform_tokens", token_rows.COLUMNS, token_rows.stamp_name, _seal_token)


def seal_anew(source: Execute, opens: Cipher, target: Execute, seals: Cipher, part: SealedPart) -> int:
    """Write all rows of a part, sealed with another key, and return how many they are.

    Args:
        source: reads the rows.
        opens: opens them.
        target: writes them; into the same database it may be `source`.
        seals: seals them.
        part: which rows.

    Raises:
        ConnectionFailed: `store_corrupt`, a grant was changed since it was written.
    """
    columns = ", ".join(f"sealed_row.{name}" for name in part.columns)
    page = (
        f"SELECT {columns}, stamp FROM {part.table} AS sealed_row LEFT JOIN connform_stamps ON connform_stamps.connection = '{part.stamp_name('')}' || sealed_row.connection "  # noqa: S608  (constants)
        f"WHERE sealed_row.connection > ? ORDER BY sealed_row.connection LIMIT {_PAGE_ROWS}"
    )
    replace = "ON CONFLICT (connection) DO UPDATE SET " + ", ".join(
        f"{name} = excluded.{name}" for name in part.columns
    )
    count, last = 0, ""
    while rows := source(page, (last,)):
        last = rows[-1][0]
        stamped = [(row, grant_rows.new_stamp()) for row in rows]
        sealed = [(part.seal_anew(row, opens, seals, stamp), stamp) for row, stamp in stamped]
        written = [(row, (part.stamp_name(row[0]), stamp)) for row, stamp in sealed if row]
        insert(target, part.table, part.columns, [row for row, _ in written], replace)
        stamps = [stamp for _, stamp in written]
        insert(
            target,
            "connform_stamps",
            ("connection", "stamp"),
            stamps,
            "ON CONFLICT (connection) DO UPDATE SET stamp = excluded.stamp",
        )
        count += len(written)
    return count
