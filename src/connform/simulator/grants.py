"""Grants of the simulated authorization server: codes, access tokens, rotating refresh tokens.

Layer 2, no IO. RFC 6749 §4.1.2 and §6, RFC 7636 §4.6, RFC 9700 §4.14.2. Every code and token is random and synthetic.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from connform.simulator.credentials import Credentials

_CODE_S: Final = 60.0
_ENTROPY_BYTES: Final = 18
_REFRESHABLE: Final = "offline_access"


class Consent(NamedTuple):
    """What a person agreed to."""

    host: str
    """The authorization server."""
    client_id: str
    """The app."""
    scopes: tuple[str, ...]
    """What it may do."""
    redirect_uri: str = ""
    """Where the code was sent to."""
    challenge: str = ""
    """PKCE, S256; empty for none."""


@dataclass(slots=True)
class _Family:
    """One grant: all that was ever issued for one consent."""

    consent: Consent
    refresh_token: str = ""
    access_tokens: list[str] = field(default_factory=list)


class Issued(NamedTuple):
    """What the token endpoint gives."""

    access_token: str
    """Good for the simulator's `token_lifetime_s`."""
    refresh_token: str
    """Good once; empty without `offline_access`."""
    scopes: tuple[str, ...]
    """What was granted."""


class IssuedGrants:
    """What was granted on every host."""

    def __init__(self, credentials: Credentials, token_lifetime_s: float) -> None:
        self.token_lifetime_s = token_lifetime_s
        """Seconds that an access token lives."""
        self._credentials = credentials
        self._codes: dict[str, tuple[Consent, float]] = {}
        self._redeemed: dict[str, _Family] = {}
        self._families: dict[str, _Family] = {}
        """By every refresh token that was ever issued."""
        self._using = ProcessLocal(Lock)

    def code(self, consent: Consent) -> str:
        """Return a code, good once and for a minute."""
        code = "simulated-code-" + secrets.token_urlsafe(_ENTROPY_BYTES)
        self._codes[code] = consent, monotonic() + _CODE_S
        return code

    def grant(self, consent: Consent) -> Issued:
        """Return the tokens of a fresh grant."""
        with self._using.own:
            return self._issue(_Family(consent))

    def redeem(self, code: str, host: str, client_id: str, redirect_uri: str, verifier: str) -> Issued | None:
        """Return the tokens for a code; `None` where it is not good. A code that comes twice ends what it brought."""
        with self._using.own:
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
        """Return new tokens and end this one; `None` where it is not good. One that comes twice ends the whole family."""
        with self._using.own:
            family = self._families.get(token)
            if family is None or (family.consent.host, family.consent.client_id) != (host, client_id):
                return None
            if family.refresh_token != token:
                self._end(family)
                return None
            return self._issue(family)

    def revoke(self, token: str) -> None:
        """End a token, and a refresh token's whole family (RFC 7009 §2.1); an unknown one is no error."""
        with self._using.own:
            if token in self._families:
                self._end(self._families[token])
            self._credentials.end_token(token)

    def _issue(self, family: _Family) -> Issued:
        consent = family.consent
        access = self._credentials.issue_token("", self.token_lifetime_s)  # APIs may lie on another host
        family.access_tokens.append(access)
        if _REFRESHABLE in consent.scopes:
            family.refresh_token = "simulated-refresh-" + secrets.token_urlsafe(_ENTROPY_BYTES)
            self._families[family.refresh_token] = family
        return Issued(access, family.refresh_token, consent.scopes)

    def _end(self, family: _Family) -> None:
        family.refresh_token = ""
        for token in family.access_tokens:
            self._credentials.end_token(token)


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode("ascii")
