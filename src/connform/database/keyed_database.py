"""A state database with the key that seals the tokens in it. Layer 2, no IO of its own.

Grants and issued tokens have the same key. The database holds a key check, by which another key is recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connform.database.cipher import Cipher
from connform.database.grant_rows import DELETE_META, SET_META
from connform.database.interface import Database, Execute
from connform.errors import ConnectionFailed
from connform.secret import Secret

_HAS_GRANTS = "SELECT 1 FROM connform_grants LIMIT 1"
_KEY_CHECK = "SELECT value FROM connform_meta WHERE name = 'key-check'"


class KeyedDatabase:
    """A database and its key."""

    def __init__(self, database: Database, key: Callable[[bool], Secret]) -> None:
        """Take a database and its key.

        Args:
            database: where tokens are stored.
            key: returns the key; called when tokens are read or written, not for facts. Its argument says whether the database has no
                grants yet, so that a new key may be made.
        """
        self.database = database
        self._key = key
        self._cipher: Cipher | None = None

    @contextmanager
    def writing(self) -> Iterator[tuple[Execute, Cipher]]:
        """Yield a durable transaction, and the cipher."""
        with self.database.writing() as execute:
            yield execute, self.cipher(execute, may_create=True)

    def check_key(self, *, is_given: bool) -> None:
        """Check that the key is that of the grants; without grants, that one that is given can be read. Makes no key.

        Args:
            is_given: whether the key must be there before the first grant, unlike a key file.

        Raises:
            ConnectionFailed: as `cipher` raises.
        """
        with self.database.reading() as execute:
            if execute and execute(_HAS_GRANTS):
                self.cipher(execute)
            elif is_given:
                self._key(False)  # noqa: FBT003  (its only argument)

    def cipher(self, execute: Execute, *, may_create: bool = False) -> Cipher:
        """Return the cipher after checking that its key is the one of the database.

        A database without grants accepts a new key: no grant needs the old one.

        Raises:
            ConnectionFailed: `store_key_wrong`; `secret_malformed`; the key can't be read.
        """
        if self._cipher is None:
            rows = execute(_KEY_CHECK)
            is_new = may_create and not (rows and execute(_HAS_GRANTS))
            cipher = Cipher(self._key(is_new))
            if rows and cipher.is_key_of(bytes(rows[0][0])):
                self._cipher = cipher
            elif is_new:
                execute(DELETE_META, ("key-check",))
                execute(SET_META, ("key-check", cipher.key_check()))
                return cipher  # the next call stores it in `_cipher`, after the commit
            else:
                raise ConnectionFailed("store_key_wrong", f"{self.database.place} was made with another key")
        return self._cipher
