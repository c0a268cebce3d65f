"""Credentials that the simulator issued, and the check of those that a request carries.

Layer 2, no IO. Every credential is random and synthetic; a real one is never accepted.
"""

from __future__ import annotations

import secrets
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from connform.simulator.messages import Request

_ENTROPY_BYTES: Final = 18


class Credentials:
    """What was issued, and to which host each is bound (empty: any)."""

    def __init__(self) -> None:
        self._api_keys: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._ends_at: dict[str, float] = {}
        """Of tokens that end, on the monotonic clock; minus infinity once they are revoked."""

    def issue_api_key(self, host: str) -> str:
        """Return a fresh API key, accepted on `host` only, or anywhere if that is empty."""
        return _issue(self._api_keys, "simulated-key-", host)

    def issue_token(self, host: str, lifetime_s: float | None = None) -> str:
        """Return a fresh bearer token, accepted on `host` only, or anywhere if that is empty; it may end."""
        token = _issue(self._tokens, "simulated-token-", host)
        if lifetime_s is not None:
            self._ends_at[token] = monotonic() + lifetime_s
        return token

    def end_token(self, token: str) -> None:
        """Accept a token no more."""
        self._ends_at[token] = float("-inf")

    def accepts(self, request: Request) -> bool:
        """Say whether the request authenticates as iinked Sign documents it [authentication]."""
        if _valid(self._api_keys, request.headers.get("api_key", ""), request.host):
            return True
        token = _bearer(request)
        return _valid(self._tokens, token, request.host) and not self._has_ended(token)

    def has_ended(self, request: Request) -> bool:
        """Say whether the request carries a token that was accepted once (RFC 6750 §3.1)."""
        return self._has_ended(_bearer(request))

    def _has_ended(self, token: str) -> bool:
        return self._ends_at.get(token, float("inf")) <= monotonic()

    def anywhere_in(self, request: Request) -> bool:
        """Say whether the last word of any header is an issued credential: how unknown APIs carry theirs."""
        last_words = [value.split()[-1] for value in request.headers.values() if value.strip()]
        return any(
            _valid(issued, word, request.host) and not self._has_ended(word)
            for word in last_words
            for issued in (self._api_keys, self._tokens)
        )


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _issue(issued: dict[str, str], prefix: str, host: str) -> str:
    value = prefix + secrets.token_urlsafe(_ENTROPY_BYTES)
    issued[value] = host.lower()
    return value


def _valid(issued: dict[str, str], value: str, host: str) -> bool:
    bound_to = issued.get(value)
    return bound_to is not None and bound_to in ("", host)
