"""Encryption of the tokens of a grant, and of an issued token: AES-256-GCM (NIST SP 800-38D).

Layer 2, no IO. The facts of a grant or token are the associated data of the encryption: a record that was changed, or swapped with another
one, can't be decrypted.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import TYPE_CHECKING

from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_CHECK = b"connform key check, version 1"


class Cipher:
    """Encrypts and decrypts with one key."""

    def __init__(self, key: Secret) -> None:
        """Take a key of 32 bytes, in base64.

        Raises:
            ConnectionFailed: `secret_malformed`.
        """
        with hidden_frames():
            self._aead = _aead(key)

    def key_check(self) -> bytes:
        """Return a value by which `is_key_of` recognises this key later; it is stored in the database."""
        return self._seal(b"", _KEY_CHECK)

    def is_key_of(self, key_check: bytes) -> bool:
        """Whether a key check that is stored in a database was made with this key."""
        return self._open(key_check, _KEY_CHECK) is not None

    def seal(self, grant: Grant, associated_data: bytes) -> bytes:
        """Return the tokens of a grant, encrypted. Decryption needs the same associated data."""
        with hidden_frames():
            return self._seal(json.dumps(_tokens(grant)).encode(), associated_data)

    def open(self, sealed: bytes, facts: GrantFacts, associated_data: bytes | None) -> Grant:
        """Return a grant with its decrypted tokens. Its `revoke_url` is empty if the associated data of an old record lacks it.

        Args:
            sealed: what `seal` returned.
            facts: the facts of the grant.
            associated_data: what `seal` was given; `None` for a record of an old version, which had fewer facts in it.

        Raises:
            ConnectionFailed: `store_corrupt`, the record was changed, or parts of two records were mixed.
        """
        with hidden_frames():
            opened = self._open(sealed, _old_associated_data(facts) if associated_data is None else associated_data)
            if opened is None and associated_data is None:
                opened = self._open(sealed, _oldest_associated_data(facts))
                facts = facts._replace(revoke_url="")  # not authenticated in such a record
            if opened is None:
                raise ConnectionFailed(
                    "store_corrupt",
                    f"the record of the grant of {facts.connection} was changed since it was written, or an earlier one was put "
                    "back in its place",
                )
            access, refresh = json.loads(opened)
            return Grant(facts, Secret(access), Secret(refresh) if refresh is not None else None)

    def seal_token(self, token: Secret, obtained_with: Secret, associated_data: bytes) -> bytes:
        """Return an issued token and the digest of the secrets that obtained it, encrypted. Decryption needs the same associated data."""
        with hidden_frames():
            return self._seal(json.dumps([token.reveal(), obtained_with.reveal()]).encode(), associated_data)

    def open_token(self, sealed: bytes, associated_data: bytes) -> tuple[Secret, Secret] | None:
        """Return both as they were given to `seal_token`; `None` if the key, the record or its associated data are others."""
        with hidden_frames():
            opened = self._open(sealed, associated_data)
            if opened is None:
                return None
            token, obtained_with = json.loads(opened)
            return Secret(token), Secret(obtained_with)

    def _seal(self, plain: bytes, associated_data: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, associated_data)

    def _open(self, sealed: bytes, associated_data: bytes) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated_data)
        except (InvalidTag, ValueError):  # ValueError: too short for a nonce
            return None


def have_same_tokens(one: Grant, other: Grant) -> bool:
    """Whether two grants have the same access token and refresh token."""
    return _tokens(one) == _tokens(other)


def is_same(one: Grant, other: Grant) -> bool:
    """Whether two grants have the same tokens and the same facts."""
    return one.facts == other.facts and have_same_tokens(one, other)


def _tokens(grant: Grant) -> list[str | None]:
    return [grant.access_token.reveal(), grant.refresh_token.reveal() if grant.refresh_token else None]


def new_key() -> str:
    """Return a new random key, in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii")


def _aead(key: Secret) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        value = base64.b64decode(key.reveal(), validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != KEY_BYTES:
        raise ConnectionFailed(
            "secret_malformed",
            f"the key of the store of grants must be {KEY_BYTES} bytes in base64: `openssl rand -base64 {KEY_BYTES}`",
        )
    return AESGCM(value)


def _old_associated_data(facts: GrantFacts) -> bytes:
    """Return the associated data of grants written before version 3 of the tables."""
    return json.dumps([facts.connection, facts.token_url, facts.client_id, facts.revoke_url]).encode()


def _oldest_associated_data(facts: GrantFacts) -> bytes:
    """Return the associated data of the first grants, without `revoke_url`."""
    return json.dumps([facts.connection, facts.token_url, facts.client_id]).encode()
