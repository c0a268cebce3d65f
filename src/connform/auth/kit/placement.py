"""Where an auth method puts its secrets in a request: in header texts, in query parameters, in a Basic pair.

Layer 2, no IO.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from connform.auth.described.definition import NO_VALUES
from connform.errors import ConnectionFailed
from connform.http.credential import HeaderLines
from connform.http.header import require_parameter, require_password, require_sendable
from connform.manifest.named_texts import expand, names_in, split_secret
from connform.secret import Secret

_SCHEME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?= $)"
_AUTHORIZATION = "Authorization"
_BASIC = "Basic"


class SentText(NamedTuple):
    """One header or query parameter."""

    name: str
    """As it is sent."""
    prefix: str
    """The text before the secret, or the whole text."""
    secret: str = ""
    """The name of the secret behind the prefix; empty for none."""


class Placement:
    """The headers, the query parameters and the Basic pair of an auth method."""

    def __init__(
        self,
        headers: Mapping[str, str] = NO_VALUES,
        query: Mapping[str, str] = NO_VALUES,
        basic: Mapping[str, str] = NO_VALUES,
    ) -> None:
        """Take texts by header, by parameter, and by `username` and `password`."""
        self._headers = [SentText(name, *split_secret(text)) for name, text in headers.items()]
        self._parameters = [SentText(name, *split_secret(text)) for name, text in query.items()]
        self._basic = basic
        places: dict[str, list[str]] = {}
        for text in self._headers:
            places.setdefault(text.secret, []).append(f"header {text.name}")
        for text in self._parameters:
            places.setdefault(text.secret, []).append(f"parameter {text.name}")
        for name in {name for text in basic.values() for name in names_in(text)}:
            places.setdefault(name, []).append(f"header {_AUTHORIZATION}")
        self._places = {secret: ", ".join(sorted(found)) for secret, found in places.items()}

    @property
    def scheme(self) -> str:
        """The authentication scheme of the header `Authorization` (RFC 9110 §11.1); empty where there is none."""
        texts = (text for text in self._headers if text.name.lower() == "authorization")
        match = next((match for text in texts if (match := re.match(_SCHEME, text.prefix))), None)
        return match[0] if match else _BASIC if self._basic else ""

    def place(self, secret: str) -> str:
        """Return where a secret is sent, in words for messages: `header X-Api-Key`; empty if nowhere."""
        return self._places.get(secret, "")

    def judge(self, key: str, secret: Secret) -> None:
        """Require that a secret can be sent where it belongs.

        Raises:
            ConnectionFailed: `secret_malformed`; the message never contains the value.
        """
        if any(text.secret == key for text in self._headers):
            require_sendable(secret, key=key)
        if any(text.secret == key for text in self._parameters):
            require_parameter(secret, key=key)
        for part, text in self._basic.items():
            if key in names_in(text):
                require_password(secret, key=key)
                if part == "username" and ":" in secret.reveal():
                    message = f"the secret behind `{key}` holds a colon, and can't be a user name (RFC 7617 §2)"
                    raise ConnectionFailed("secret_malformed", message)

    def lines(self, secrets: Mapping[str, Secret], values: Mapping[str, str] = NO_VALUES) -> HeaderLines:
        """Return what is sent; a header or parameter whose secret isn't given isn't.

        Args:
            secrets: the secrets by name.
            values: what other names stand for.
        """
        headers = [(text.name, _value(text, secrets)) for text in self._headers if text.secret in {"", *secrets}]
        if self._basic:
            headers.append((_AUTHORIZATION, basic_value(self._basic, secrets, values)))
        parameters = [(text.name, _value(text, secrets)) for text in self._parameters if text.secret in {"", *secrets}]
        return HeaderLines(*headers, parameters=tuple(parameters))


def basic_value(texts: Mapping[str, str], secrets: Mapping[str, Secret], values: Mapping[str, str]) -> Secret:
    """Return the value of the header of Basic authentication, in UTF-8 (RFC 7617 §2.1).

    Args:
        texts: `username` and `password`, each a constant or one name; empty where one is missing.
        secrets: the secrets by name; one that isn't given is empty.
        values: what other names stand for.
    """
    from base64 import b64encode  # `validate` needs none

    known = {**values, **{name: secret.reveal() for name, secret in secrets.items()}}
    pair = ":".join(_filled(texts.get(part, ""), known) for part in ("username", "password"))
    return Secret(f"{_BASIC} {b64encode(pair.encode()).decode('ascii')}")


def _filled(text: str, known: Mapping[str, str]) -> str:
    return expand(text, {name: known.get(name, "") for name in names_in(text)})


def _value(text: SentText, secrets: Mapping[str, Secret]) -> Secret:
    return Secret(text.prefix + secrets[text.secret].reveal()) if text.secret else Secret(text.prefix)
