"""The columns of the table of issued tokens, and the conversion between a token and a row; the same in every database.

Layer 2, no IO. Times are seconds since 1970, UTC. Only the column `sealed` is secret: it holds the encrypted token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connform.database.grant_rows import time_of
from connform.issued_token import IssuedToken, TokenFacts

if TYPE_CHECKING:
    from connform.database.cipher import Cipher
    from connform.database.interface import Execute

_FACTS = ("connection", "binding", "obtained_at", "expires_at", "scopes")
COLUMNS = (*_FACTS, "sealed")
_DELETE = "DELETE FROM connform_tokens WHERE connection = ?"
_DELETE_STAMP = "DELETE FROM connform_stamps WHERE connection = ?"


def stamp_name(connection: str) -> str:
    """Return the name of a token's stamp; a connection's name, under which a grant's stamp lies, has no `+`."""
    return f"+token.{connection}"


def delete_token(execute: Execute, connection: str) -> None:
    """Delete the token of a connection, if there is one, in a transaction of the caller. Needs no key."""
    execute(_DELETE, (connection,))
    execute(_DELETE_STAMP, (stamp_name(connection),))


def row_of(token: IssuedToken, cipher: Cipher, stamp: bytes) -> tuple[Any, ...]:
    """Return the values of `COLUMNS` for a token. All but the token and a random stamp are the associated data of the encryption."""
    obtained_at, expires_at, scopes = token.facts
    row = (
        token.connection,
        token.binding,
        obtained_at.timestamp(),
        expires_at.timestamp() if expires_at else None,
        " ".join(scopes),
    )
    return (*row, cipher.seal_token(token.access_token, token.obtained_with, _associated_data(row, stamp)))


def token_of(row: Sequence[Any], cipher: Cipher) -> IssuedToken | None:
    """Return the token of a row: the values of `COLUMNS`, then its stamp or `None`; `None` if it can't be decrypted."""
    *facts, sealed, stamp = row
    opened = cipher.open_token(bytes(sealed), _associated_data(facts, bytes(stamp or b"")))
    if opened is None:
        return None
    access_token, obtained_with = opened
    connection, binding, obtained, expires, scopes = facts
    token_facts = TokenFacts(time_of(obtained), None if expires is None else time_of(expires), tuple(scopes.split()))
    return IssuedToken(connection, binding, access_token, token_facts, obtained_with)


def _associated_data(facts: Sequence[Any], stamp: bytes) -> bytes:
    return json.dumps(["connform issued token", stamp.hex(), dict(zip(_FACTS, facts, strict=True))]).encode()
