"""Credentials that the simulator issued, and the check of those that a request carries.

Layer 2, no IO, reads the monotonic clock. Credentials are random and synthetic; no other is accepted.
"""

from __future__ import annotations

import re
import secrets
from time import monotonic
from urllib.parse import parse_qsl

from connform.simulator.messages import Request

_ENTROPY_BYTES = 18


class Credentials:
    """The credentials issued, each with the host that accepts it (empty for any host)."""

    def __init__(self) -> None:
        self._api_keys: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._ends_at: dict[str, float] = {}
        """Expiry of tokens that expire, on the monotonic clock; minus infinity for revoked ones."""

    def issue_api_key(self, host: str) -> str:
        """Return a fresh API key, accepted on `host` only, or anywhere if that is empty."""
        return _issue(self._api_keys, "simulated-key-", host)

    def accept_api_key(self, key: str) -> None:
        """Accept an API key on any host."""
        self._api_keys[key] = ""

    def issue_token(self, host: str, lifetime_s: float | None = None) -> str:
        """Return a fresh bearer token, accepted on `host` only, or anywhere if that is empty.

        Without a lifetime, it never expires.
        """
        token = _issue(self._tokens, "simulated-token-", host)
        if lifetime_s is not None:
            self._ends_at[token] = monotonic() + lifetime_s
        return token

    def end_token(self, token: str) -> None:
        """Stop accepting a token."""
        self._ends_at[token] = float("-inf")

    def accepts(self, request: Request) -> bool:
        """Return whether the request carries a valid credential, as iinked Sign documents it [authentication]."""
        if _is_issued(self._api_keys, request.headers.get("api_key", ""), request.host):
            return True
        token = _bearer_token(request)
        return _is_issued(self._tokens, token, request.host) and not self._has_ended(token)

    def is_token(self, value: str) -> bool:
        """Return whether a text is a token that is accepted anywhere, and has not ended."""
        return _is_issued(self._tokens, value, "") and not self._has_ended(value)

    def token_has_ended(self, request: Request) -> bool:
        """Return whether the request carries a token that has expired or was revoked (RFC 6750 §3.1)."""
        in_query = (value for _, value in parse_qsl(request.query))
        return any(map(self._has_ended, (*_last_words(request), *in_query)))

    def _has_ended(self, token: str) -> bool:
        return self._ends_at.get(token, float("inf")) <= monotonic()

    def accepts_in_any_header(self, request: Request) -> bool:
        """Return whether the last word of any header is a valid credential, also behind `=`; other APIs may use any header."""
        return any(
            _is_issued(issued, word, request.host) and not self._has_ended(word)
            for word in _last_words(request)
            for issued in (self._api_keys, self._tokens)
        )


def _last_words(request: Request) -> list[str]:
    return [re.split(r"[\s=]", value.strip())[-1] for value in request.headers.values()]


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _issue(issued: dict[str, str], prefix: str, host: str) -> str:
    value = prefix + secrets.token_urlsafe(_ENTROPY_BYTES)
    issued[value] = host.lower()
    return value


def _is_issued(issued: dict[str, str], value: str, host: str) -> bool:
    bound_to = issued.get(value)
    return bound_to is not None and bound_to in ("", host)
