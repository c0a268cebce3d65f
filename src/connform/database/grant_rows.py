"""The columns of the table of grants, and the conversion between a grant and a row; the same in every database.

Layer 2, no IO. Times are seconds since 1970, UTC. Only the column `sealed` is secret: it holds the encrypted tokens.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connform.grant import Grant, GrantFacts, Pending

if TYPE_CHECKING:
    from connform.database.cipher import Cipher

FACTS = (
    "connection",
    "token_url",
    "client_id",
    "scopes",
    "obtained_at",
    "expires_at",
    "is_renewable",
    "revoke_url",
    "pending_since",
    "pending_holder",
    "ended",
    "granted_at",
    "account",
    "refresh_ends_at",
)
_ADDED = {"account", "refresh_ends_at"}
"""Facts of later versions: where they are null, they are no part of the associated data, as in records of before."""
COLUMNS = (*FACTS, "sealed")
_STORED = (*FACTS[:-3], "sealed", *FACTS[-3:])
"""The columns in the order of the table, where a migration adds new ones behind the others."""
SET_STAMP = (
    "INSERT INTO connform_stamps (connection, stamp) VALUES (?, ?) "
    "ON CONFLICT (connection) DO UPDATE SET stamp = excluded.stamp"
)
"""Each write makes a new random stamp, which is part of the associated data: an old record put back can't be decrypted."""
_STAMP_BYTES = 16
READ_FACTS = "SELECT * FROM connform_grants ORDER BY connection"
"""Rows for `stored_facts`. A table of an earlier version lacks the last columns; reading leaves it as it is."""


def columns_of(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values of `COLUMNS` in a row of the table; `None` for those that its version lacks."""
    by_name = dict(zip(_STORED, row, strict=False))
    return tuple(by_name.get(name) for name in COLUMNS)


def new_stamp() -> bytes:
    """Return a random stamp."""
    return os.urandom(_STAMP_BYTES)


def row_of(grant: Grant, cipher: Cipher, stamp: bytes) -> tuple[Any, ...]:
    """Return the values of `COLUMNS` for a grant. The facts and a random stamp are the associated data of the encryption."""
    facts = grant.facts
    row = (
        facts.connection,
        facts.token_url,
        facts.client_id,
        " ".join(facts.scopes),
        facts.obtained_at.timestamp(),
        facts.expires_at.timestamp() if facts.expires_at else None,
        int(facts.is_renewable),
        facts.revoke_url,
        facts.pending.since.timestamp() if facts.pending else None,
        facts.pending.holder if facts.pending else "",
        facts.ended,
        facts.granted_at.timestamp() if facts.granted_at else None,
        facts.account or None,
        facts.refresh_ends_at.timestamp() if facts.refresh_ends_at else None,
    )
    return (*row, cipher.seal(grant, _associated_data(row, stamp)))


def grant_of(row: Sequence[Any], cipher: Cipher) -> Grant:
    """Return the grant of a row: the values of `COLUMNS`, then its stamp, which is `None` for a record of an old version.

    Raises:
        ConnectionFailed: `store_corrupt`.
    """
    *facts, sealed, stamp = row
    associated_data = None if stamp is None else _associated_data(facts, bytes(stamp))
    return cipher.open(bytes(sealed), facts_of(facts), associated_data)


def _associated_data(facts: Sequence[Any], stamp: bytes) -> bytes:
    by_name = zip(FACTS, facts, strict=True)
    data = {name: value for name, value in by_name if value is not None or name not in _ADDED}
    return json.dumps(["connform grant", stamp.hex(), data]).encode()


def facts_of(row: Sequence[Any]) -> GrantFacts:
    """Return the facts of a grant from the values of `FACTS`."""
    connection, token_url, client_id, scopes, obtained, expires, is_renewable, *rest = row
    revoke_url, since, holder, ended, granted, account, refresh_ends = rest
    return GrantFacts(
        connection=connection,
        token_url=token_url,
        client_id=client_id,
        scopes=tuple(scopes.split()),
        obtained_at=time_of(obtained),
        expires_at=None if expires is None else time_of(expires),
        is_renewable=bool(is_renewable),
        revoke_url=revoke_url,
        pending=None if since is None else Pending(time_of(since), holder),
        ended=ended,
        granted_at=None if granted is None else time_of(granted),
        account=account or "",
        refresh_ends_at=None if refresh_ends is None else time_of(refresh_ends),
    )


def stored_facts(row: Sequence[Any]) -> GrantFacts:
    """Return the facts of a grant from a row of the table."""
    return facts_of(columns_of(row)[: len(FACTS)])


def time_of(seconds: float) -> datetime:
    """Return a stored time, aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)
