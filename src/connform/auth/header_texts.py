"""An auth method that a provider's definition describes: secrets in header texts.

Layer 2, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from connform.auth.interface import AuthInputs, AuthMethod
from connform.http.header import require_sendable
from connform.http.settings import Credential, HeaderLines
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape
from connform.secret import Secret

_SCHEME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?= $)")


class HeaderText(NamedTuple):
    """One header that a method sends."""

    name: str
    """As it is sent."""
    prefix: str
    """The text before the secret, or the whole text."""
    secret: str = ""
    """The key under `auth:` of the secret behind the prefix; empty for none."""

    @property
    def scheme(self) -> str:
        """The authentication scheme (RFC 9110 §11.1), if the prefix is nothing else."""
        match = _SCHEME.match(self.prefix) if self.name.lower() == "authorization" else None
        return match[0] if match else ""


class HeaderTexts(AuthMethod):
    """The method of a definition without OAuth."""

    def __init__(self, texts: tuple[HeaderText, ...], secrets: Mapping[str, bool], description: str) -> None:
        """Take the headers, and the keys of the secrets, each with whether it may be left out."""
        self._texts = texts
        self._shape = Shape(
            properties=dict.fromkeys(secrets, REFERENCE),
            required=tuple(key for key, may_lack in secrets.items() if not may_lack),
            description=description,
        )

    @property
    def shape(self) -> Shape:
        """The keys of its secrets."""
        return self._shape

    def judge(self, key: str, secret: Secret) -> None:
        """Require a secret that can be sent in a header."""
        require_sendable(secret, key=key)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential that sends the headers; one whose secret isn't given isn't sent."""
        for key, secret in inputs.secrets.items():
            self.judge(key, secret)
        return HeaderTextsCredential(
            [text for text in self._texts if text.secret in {"", *inputs.secrets}], inputs.secrets
        )


class HeaderTextsCredential(Credential):
    """Secrets in header texts. No output shows it."""

    __slots__ = ("_lines", "scheme")
    is_renewable = False  # a plain attribute, because each request reads it
    scheme: str

    def __init__(self, texts: list[HeaderText], secrets: Mapping[str, Secret]) -> None:
        self.scheme = next((text.scheme for text in texts if text.scheme), "")
        self._lines = HeaderLines(*((text.name, _value(text, secrets)) for text in texts))

    def headers(self) -> HeaderLines:
        """Return the header lines that carry the credential."""
        return self._lines

    def __repr__(self) -> str:
        return "<credential>"


def _value(text: HeaderText, secrets: Mapping[str, Secret]) -> Secret:
    return Secret(text.prefix + secrets[text.secret].reveal()) if text.secret else Secret(text.prefix)
