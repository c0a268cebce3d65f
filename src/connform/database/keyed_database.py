"""A state database with the key that seals the tokens in it. Layer 2, no IO of its own.

Grants and issued tokens have the same key. The database holds a key check, by which another key is recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from connform.database.cipher import Cipher
from connform.database.interface import Database, Execute
from connform.database.meta import DELETE_META, READ_META, SET_META
from connform.errors import ConnectionFailed
from connform.secret import Secret

_HAS_GRANTS = "SELECT 1 FROM connform_grants LIMIT 1"
_KEY_CHECK = "key-check"
SELECT_KEY_CHECK = f"SELECT value FROM connform_meta WHERE name = '{_KEY_CHECK}'"  # noqa: S608  (a constant)
"""Reads the key check in the same statement as what is to be opened with its key."""
_ROTATED = "the key was changed with `connform state rotate-key`: start this program again, with the new one"


class KeyedDatabase:
    """A database and its key."""

    def __init__(self, database: Database, keys: Callable[[bool], Iterable[Secret]]) -> None:
        """Take a database and its key.

        Args:
            database: where tokens are stored.
            keys: returns the key, or several of which one is it; called when tokens are read or written, not for facts. Its argument
                says whether the database has no grants yet, so that a new key may be made.
        """
        self.database = database
        self.keys = keys
        self._known: tuple[bytes, Cipher] | None = None
        """The latest key check with the cipher of its key."""

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
                list(self.keys(False))  # noqa: FBT003  (its only argument)

    def cipher(self, execute: Execute, *, may_create: bool = False) -> Cipher:
        """Return the cipher after checking that its key is the one of the database.

        A database without grants accepts a new key: no grant needs the old one.

        Raises:
            ConnectionFailed: `store_key_wrong`; `secret_malformed`; the key can't be read.
        """
        key_check = stored_key_check(execute)
        if may_create and not (key_check and execute(_HAS_GRANTS)):
            return self._new_cipher(execute, key_check)
        return self.cipher_of(key_check)

    def cipher_of(self, key_check: bytes | None) -> Cipher:
        """Return the cipher of the key with which a key check was made; errors as for `cipher`.

        Args:
            key_check: that of the database, read together with what is to be opened: `state rotate-key` may replace both.
        """
        key_check = bytes(key_check or b"")
        if self._known and self._known[0] == key_check:
            return self._known[1]
        for key in self.keys(False):  # noqa: FBT003  (its only argument)
            cipher = Cipher(key)
            if cipher.is_key_of(key_check):
                self._known = key_check, cipher
                return cipher
        message = f"{self.database.place} was made with another key"
        hint = "" if self._known is None else _ROTATED
        raise ConnectionFailed("store_key_wrong", message, hint)

    def _new_cipher(self, execute: Execute, key_check: bytes | None) -> Cipher:
        """Return the cipher for the first grant. Its key check is stored; `cipher` finds it after the commit."""
        cipher = Cipher(next(iter(self.keys(True))))  # noqa: FBT003  (its only argument)
        if not (key_check and cipher.is_key_of(key_check)):
            set_key_check(execute, cipher)
        return cipher


def stored_key_check(execute: Execute) -> bytes | None:
    """Return the key check of a database; `None` if nothing was ever sealed there."""
    rows = execute(READ_META, (_KEY_CHECK,))
    return bytes(rows[0][0]) if rows else None


def set_key_check(execute: Execute, cipher: Cipher) -> None:
    """Store the key check of a cipher, in a transaction that seals all grants with it."""
    execute(DELETE_META, (_KEY_CHECK,))
    execute(SET_META, (_KEY_CHECK, cipher.key_check()))
