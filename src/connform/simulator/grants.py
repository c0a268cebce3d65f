"""Grants of the simulated authorization server: codes, access tokens, rotating refresh tokens.

Layer 2, no IO, reads the monotonic clock. RFC 6749 §4.1.2 and §6, RFC 7636 §4.6, RFC 9700 §4.14.2: a refresh token
that is used twice ends its whole grant. Every code and token is random and synthetic.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import NamedTuple

from connform.process_local import ProcessLocal
from connform.simulator.credentials import Credentials

_CODE_LIFETIME_S = 60.0
_ENTROPY_BYTES = 18
_REFRESHABLE = "offline_access"


class Consent(NamedTuple):
    """What a person consented to."""

    host: str
    """The authorization server."""
    client_id: str
    """The client."""
    scopes: tuple[str, ...]
    """The scopes of the consent."""
    redirect_uri: str = ""
    """The redirect URI to which the code was sent."""
    challenge: str = ""
    """PKCE code challenge, S256; empty for none."""


@dataclass(slots=True)
class _Family:
    """One grant: all tokens that were issued for one consent."""

    consent: Consent
    refresh_token: str = ""
    access_tokens: list[str] = field(default_factory=list)


class Issued(NamedTuple):
    """What the token endpoint returns."""

    access_token: str
    """Valid for the simulator's `token_lifetime_s`."""
    refresh_token: str
    """Valid for one use; empty if scopes were requested, and `offline_access` is none of them."""
    scopes: tuple[str, ...]
    """The scopes granted."""


class IssuedGrants:
    """The grants of all hosts."""

    def __init__(self, credentials: Credentials, token_lifetime_s: float) -> None:
        self.token_lifetime_s = token_lifetime_s
        """Lifetime of an access token, in seconds."""
        self._credentials = credentials
        self._codes: dict[str, tuple[Consent, float]] = {}
        self._redeemed: dict[str, _Family] = {}
        self._families: dict[str, _Family] = {}
        """The family of each refresh token that was issued, used ones included."""
        self._lock = ProcessLocal(Lock)

    def code(self, consent: Consent) -> str:
        """Return an authorization code, valid for one use and one minute."""
        code = "simulated-code-" + secrets.token_urlsafe(_ENTROPY_BYTES)
        self._codes[code] = consent, monotonic() + _CODE_LIFETIME_S
        return code

    def grant(self, consent: Consent) -> Issued:
        """Return the tokens of a new grant."""
        with self._lock.own:
            return self._issue(_Family(consent))

    def without_person(self, scopes: tuple[str, ...]) -> Issued:
        """Return an access token alone, for a client itself or the subject of its JWT (RFC 6749 §4.4.3)."""
        return Issued(self._credentials.issue_token("", self.token_lifetime_s), "", scopes)

    def redeem(self, code: str, host: str, client_id: str, redirect_uri: str, verifier: str) -> Issued | None:
        """Return the tokens for a code, or `None`. A second use of a code ends the grant of the first."""
        with self._lock.own:
            if code in self._redeemed:
                self._end(self._redeemed[code])
                return None
            consent, ends_at = self._codes.pop(code, (None, 0.0))
            if consent is None or monotonic() > ends_at:
                return None
            if (consent.host, consent.client_id, consent.redirect_uri) != (host, client_id, redirect_uri):
                return None
            if consent.challenge and consent.challenge != _challenge(verifier):
                return None
            family = self._redeemed[code] = _Family(consent)
            return self._issue(family)

    def refresh(self, token: str, host: str, client_id: str) -> Issued | None:
        """Return new tokens and end this one, or `None`. A second use of a token ends the whole family."""
        with self._lock.own:
            family = self._families.get(token)
            if family is None or (family.consent.host, family.consent.client_id) != (host, client_id):
                return None
            if family.refresh_token != token:
                self._end(family)
                return None
            return self._issue(family)

    def revoke(self, token: str) -> None:
        """End a token, and a refresh token's whole family (RFC 7009 §2.1); an unknown one is no error."""
        with self._lock.own:
            if token in self._families:
                self._end(self._families[token])
            self._credentials.end_token(token)

    def _issue(self, family: _Family) -> Issued:
        consent = family.consent
        access = self._credentials.issue_token(
            "", self.token_lifetime_s
        )  # accepted on every host: the API may have its own
        family.access_tokens.append(access)
        if not consent.scopes or _REFRESHABLE in consent.scopes:
            family.refresh_token = "simulated-refresh-" + secrets.token_urlsafe(_ENTROPY_BYTES)
            self._families[family.refresh_token] = family
        return Issued(access, family.refresh_token, consent.scopes)

    def _end(self, family: _Family) -> None:
        family.refresh_token = ""
        for token in family.access_tokens:
            self._credentials.end_token(token)


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode("ascii")
