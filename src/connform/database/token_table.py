"""The table of issued tokens in a state database: encrypted, locked, one row for each connection.

Layer 2, no IO of its own: `sqlite` or `postgres` executes the SQL and holds the locks. A token that can't be decrypted counts as none:
another one can be obtained at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

from connform.database.grant_rows import SET_STAMP, new_stamp
from connform.database.interface import TOKENS_SCHEMA, LockTimeout
from connform.database.keyed_database import SELECT_KEY_CHECK, KeyedDatabase
from connform.database.token_rows import COLUMNS, delete_token, row_of, stamp_name, token_of
from connform.errors import ConnectionFailed
from connform.issued_token import IssuedToken

FROZEN_AFTER_S = 30.0
"""How long the holder of a lock may take. After that, it counts as frozen (SIGSTOP, a suspended machine), and the next one gets a turn."""
_WAIT_S = 1.0
"""How long to wait for a lock before asking since when it is held."""
# The SQL is built from constants of this package only.
_READ = (
    f"SELECT ({SELECT_KEY_CHECK}), {', '.join(COLUMNS)}, "  # noqa: S608  (constants)
    "(SELECT stamp FROM connform_stamps WHERE connection = ?) FROM connform_tokens "
    "WHERE connection = ?"
)
_WRITE = (
    f"INSERT INTO connform_tokens ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608  (the same)
    f"ON CONFLICT (connection) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
_IS_STORED = "SELECT 1 FROM connform_tokens WHERE connection = ?"


class TokenTable:
    """The `TokenStore` of one database."""

    def __init__(self, keyed: KeyedDatabase) -> None:
        self._keyed = keyed
        self._database = keyed.database

    def read(self, connection: str) -> IssuedToken | None:
        """Return a token without locking it."""
        with self._database.reading(TOKENS_SCHEMA) as execute:
            for key_check, *row in execute(_READ, (stamp_name(connection), connection)) if execute else ():
                return token_of(row, self._keyed.cipher_of(key_check))
        return None

    @contextmanager
    def lock(self, connection: str, timeout_s: float) -> Iterator[None]:
        """Lock a token during the block.

        A holder that has it for longer than `FROZEN_AFTER_S` is passed over: there is a second lock for the turn after it, and so on. That
        is safe, since no call spends anything.
        """
        ends_at, turn, wait_s = monotonic() + timeout_s, 1, _WAIT_S
        with ExitStack() as held:
            while True:
                remaining_s = max(ends_at - monotonic(), 0)
                try:
                    held.enter_context(self._database.lock(f"+token.{connection}.{turn}", min(wait_s, remaining_s)))
                except LockTimeout as timeout:
                    frozen_in_s = FROZEN_AFTER_S - timeout.held_s
                    if frozen_in_s <= 0:
                        turn, wait_s = turn + 1, _WAIT_S
                    elif remaining_s <= wait_s:
                        message = f"the token of {connection} was not free within {timeout_s:.0f} s: {timeout}"
                        raise ConnectionFailed("store_locked", message) from None
                    else:
                        wait_s = max(frozen_in_s, _WAIT_S)
                else:
                    break
            yield

    def write(self, token: IssuedToken) -> None:
        """Replace the token of its connection."""
        stamp = new_stamp()
        with self._keyed.writing() as (execute, cipher):
            execute(_WRITE, row_of(token, cipher, stamp))
            execute(SET_STAMP, (stamp_name(token.connection), stamp))

    def delete(self, connection: str) -> bool:
        """Delete a token; needs no key. A database that has no table of tokens is not written."""
        with self._database.reading(TOKENS_SCHEMA) as execute:
            if not (execute and execute(_IS_STORED, (connection,))):
                return False
        with self._database.writing() as execute:
            delete_token(execute, connection)
        return True

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()
