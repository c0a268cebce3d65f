"""Turns a secret into one header line, after making sure that it can be one.

Layer 1, no IO. HTTP libraries quote a value that they refuse; here it is refused first, and never quoted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from connform.errors import ConnectionFailed

if TYPE_CHECKING:
    from connform.secret import Secret


CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f]")


class HeaderCredential:
    """A credential that travels in one header. Nothing shows it: the value is revealed when the line is made."""

    __slots__ = ("_name", "_prefix", "_secret")

    def __init__(self, name: str, secret: Secret, *, key: str, prefix: str = "") -> None:
        """Take a checked secret.

        Args:
            name: the header's name, as it goes on the wire.
            secret: what it carries.
            key: the key under `auth:` that the secret came from, for messages.
            prefix: what stands before the secret: `Bearer `.

        Raises:
            ConnectionFailed: `secret_malformed`.
        """
        problem = _problem(secret.reveal())
        if problem:
            message = f"the secret behind `{key}` {problem}, and can't be sent in a header"
            raise ConnectionFailed("secret_malformed", message)
        self._name = name.encode("ascii")
        self._prefix = prefix.encode("ascii")
        self._secret = secret

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the header line that carries the credential."""
        return [(self._name, self._prefix + self._secret.reveal().encode("ascii"))]

    def __repr__(self) -> str:
        return "<credential>"


def bearer(token: Secret, *, key: str) -> HeaderCredential:
    """Return the credential of a bearer token (RFC 6750 §2.1)."""
    return HeaderCredential("Authorization", token, key=key, prefix="Bearer ")


def _problem(value: str) -> str:
    if not value:
        return "is empty"
    if not value.isascii():
        return "holds a character that is not ASCII"
    if CONTROL_CHARACTER.search(value):
        return "holds a line break or control character"
    if " " in value:
        return "holds a space"
    return ""
