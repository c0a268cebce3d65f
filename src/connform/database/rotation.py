"""Sealing everything in a state database with another key, in one transaction.

Layer 2; IO: the key file of a SQLite database.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from connform.database.cipher import Cipher
from connform.database.copy_marks import require_not_copied
from connform.database.interface import Execute
from connform.database.keyed_database import KeyedDatabase, set_key_check, stored_key_check
from connform.database.keys import adopt_new_key, key_file, make_new_key
from connform.database.sealing import GRANTS, TOKENS, seal_anew
from connform.secret import Secret


class Sealed(NamedTuple):
    """How much was sealed anew."""

    grants: int
    """How many grants."""
    tokens: int
    """How many issued tokens."""


def rotate_to(key: Secret, keyed: KeyedDatabase, execute: Execute) -> Sealed | None:
    """Seal all grants and issued tokens with another key; `None` if they were sealed with it before, or nothing ever was.

    Args:
        key: the new key.
        keyed: the database, with its key so far.
        execute: executes SQL in an exclusive transaction of that database, in which no grant is being renewed.

    Raises:
        ConnectionFailed: `store_key_wrong`, `store_corrupt`, `store_unwritable`, `secret_malformed`.
    """
    require_not_copied(execute, keyed.database.place)
    key_check, seals = stored_key_check(execute), Cipher(key)
    if key_check is None or seals.is_key_of(key_check):
        return None
    opens = keyed.cipher_of(key_check)
    sealed = Sealed(*(seal_anew(execute, opens, execute, seals, part) for part in (GRANTS, TOKENS)))
    set_key_check(execute, seals)
    return sealed


def rotate_key_file(folder: Path, keyed: KeyedDatabase, execute: Execute) -> Sealed | None:
    """Seal all grants and issued tokens with a new key, which lies beside the key file; errors, and the rest, as for `rotate_to`.

    After the commit, `adopt_new_key` replaces the key file. Until then both keys are found, so that it may be cut off at any moment.
    """
    key_check = stored_key_check(execute)
    if key_check is None:
        return None
    keyed.cipher_of(key_check)
    if not Cipher(key_file(folder, may_create=False)).is_key_of(key_check):
        adopt_new_key(folder)  # of a rotation that was cut off after its commit
    return rotate_to(make_new_key(folder), keyed, execute)
