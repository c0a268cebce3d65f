"""Credentials in one header line, and the check that a secret can be sent in a header.

Layer 1, no IO. HTTP libraries quote a value that they refuse. The check here comes first, and its messages don't
quote the value.
"""

from __future__ import annotations

import re

from connform.errors import ConnectionFailed
from connform.http.credential import Credential, HeaderLines
from connform.secret import Secret
from connform.tracebacks import hidden_frames

_CONTROL_CHARACTER = r"[\x00-\x1f\x7f]"
_INVISIBLE = {
    "\u00a0": "a no-break space",
    "\u00ad": "a soft hyphen",
    "\u200b": "a zero-width space",
    "\u200c": "a zero-width non-joiner",
    "\u200d": "a zero-width joiner",
    "\u2028": "a line separator",
    "\u2029": "a paragraph separator",
    "\u202f": "a narrow no-break space",
    "\u2060": "a word joiner",
    "\ufeff": "a byte order mark, which PowerShell and editors on Windows write",
}
"""Invisible characters that get into pasted secrets by mistake, with the words for messages."""


BEARER_SCHEME = "Bearer"
"""The authentication scheme of bearer tokens (RFC 6750 §2.1)."""


class HeaderCredential(Credential):
    """A credential that is sent in one header. No output shows it."""

    __slots__ = ("_lines", "scheme")
    is_renewable = False  # a plain attribute, because each request reads it
    scheme: str

    def __init__(self, name: str, secret: Secret, *, key: str, scheme: str = "") -> None:
        """Check the secret, and build the header line.

        Args:
            name: the header's name, as it is sent.
            secret: the secret that it carries.
            key: the key under `auth:` that the secret came from, for messages.
            scheme: the authentication scheme in front of the secret, such as `Bearer`; empty for none.

        Raises:
            ConnectionFailed: `secret_malformed`.
        """
        require_sendable(secret, key=key)
        self.scheme = scheme
        self._lines = HeaderLines((name, Secret(f"{scheme} {secret.reveal()}" if scheme else secret.reveal())))

    def headers(self) -> HeaderLines:
        """Return the header line that carries the credential."""
        return self._lines

    def __repr__(self) -> str:
        return "<credential>"


def bearer(token: Secret, *, key: str) -> HeaderCredential:
    """Return the credential of a bearer token (RFC 6750 §2.1)."""
    return HeaderCredential("Authorization", token, key=key, scheme=BEARER_SCHEME)


def require_sendable(secret: Secret, *, key: str) -> None:
    """Make sure that a secret can be sent in a header.

    Args:
        secret: the secret.
        key: the key under `auth:` that it came from, for messages.

    Raises:
        ConnectionFailed: `secret_malformed`.
    """
    problem = problem_of(secret) or ("holds a space" if _has_space(secret) else "")
    if problem:
        message = f"the secret behind `{key}` {problem}, and can't be sent in a header"
        raise ConnectionFailed("secret_malformed", message)


def require_parameter(secret: Secret, *, key: str) -> None:
    """Make sure that a secret can be sent in the query of a request, where it is percent-encoded; it may hold spaces inside.

    Args:
        secret: the secret.
        key: the key under `auth:` that it came from, for messages.

    Raises:
        ConnectionFailed: `secret_malformed`.
    """
    problem = problem_of(secret) or ("begins or ends with a space" if _has_space_around(secret) else "")
    if problem:
        raise ConnectionFailed("secret_malformed", f"the secret behind `{key}` {problem}, and can't be sent in a query")


def require_password(secret: Secret, *, key: str) -> None:
    """Make sure that a secret can be the password of Basic authentication (RFC 7617 §2); it may hold any letter.

    Args:
        secret: the secret.
        key: the key that it came from, for messages.

    Raises:
        ConnectionFailed: `secret_malformed`.
    """
    with hidden_frames():
        problem = _problem_of_line(secret.reveal())
    if problem:
        raise ConnectionFailed("secret_malformed", f"the secret behind `{key}` {problem}, and can't be a password")


def problem_of(secret: Secret) -> str:
    """Return why a secret is not one line of ASCII, as the end of a sentence `the secret …`; empty if it is."""
    with hidden_frames():
        return _problem(secret.reveal())


def _has_space(secret: Secret) -> bool:
    with hidden_frames():
        return " " in secret.reveal()


def _has_space_around(secret: Secret) -> bool:
    with hidden_frames():
        return secret.reveal() != secret.reveal().strip(" ")


def _problem(value: str) -> str:
    if not value.isascii():
        name_of_character = next(
            (f" (U+{ord(one):04X}, {name})" for one, name in _INVISIBLE.items() if one in value), ""
        )
        return f"holds a character that is not ASCII{name_of_character}"
    return _problem_of_line(value)


def _problem_of_line(value: str) -> str:
    if not value:
        return "is empty"
    return "holds a line break or control character" if re.search(_CONTROL_CHARACTER, value) else ""
