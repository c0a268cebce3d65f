"""Turns a secret into one header line, after making sure that it can be one.

Layer 1, no IO. HTTP libraries quote a value that they refuse; here it is refused first, and never quoted.
"""

from __future__ import annotations

import re
from typing import Final

from connform.errors import ConnectionFailed
from connform.http.settings import HeaderLines
from connform.secret import Secret
from connform.tracebacks import hidden_frames

CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f]")


class HeaderCredential:
    """A credential that travels in one header. Nothing shows it."""

    __slots__ = ("_lines",)

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
        with hidden_frames():
            problem = _problem(secret.reveal())
        if problem:
            message = f"the secret behind `{key}` {problem}, and can't be sent in a header"
            raise ConnectionFailed("secret_malformed", message)
        self._lines = HeaderLines((name, Secret(prefix + secret.reveal())))

    def headers(self) -> HeaderLines:
        """Return the header line that carries the credential."""
        return self._lines

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
