"""Device authorization of the simulated server: codes, the person's consent, polls (RFC 8628).

Layer 2, no IO, reads the monotonic clock. Codes are random and synthetic.
"""

from __future__ import annotations

import html
import secrets
from dataclasses import dataclass
from time import monotonic
from typing import Any

from connform.simulator.grants import Consent, Issued, IssuedGrants

VERIFICATION_PATH = "/connect/device"
"""The page on which a person consents."""
_LIFETIME_S, _INTERVAL_S = 300, 1
_SHORTEST_PAUSE_S = 0.5
"""A client that polls after less than this is told to slow down; clocks and networks take a part of the interval."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 §6.1: no vowels, so that a code is no word."""
_PAGE = (
    "<!doctype html><title>Log in (simulated)</title><h1>This is a simulator</h1><form method=post>"
    "<label>Code <input name=user_code value='{code}'></label> "
    "<button name=decision value=allow>Allow</button> <button name=decision value=deny>Deny</button></form>"
)


@dataclass(slots=True)
class _Login:
    consent: Consent
    ends_at: float
    polled_at: float = float("-inf")
    is_allowed: bool | None = None


class DeviceLogins:
    """The logins that wait for a person, of all hosts."""

    def __init__(self, grants: IssuedGrants) -> None:
        self._grants = grants
        self._by_device_code: dict[str, _Login] = {}
        self._by_user_code: dict[str, _Login] = {}

    def begin(self, consent: Consent, origin: str) -> dict[str, Any]:
        """Return the codes of a new login of the server at `origin` (RFC 8628 §3.2)."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device_code, user_code = "simulated-device-" + secrets.token_urlsafe(18), f"{letters[:4]}-{letters[4:]}"
        login = _Login(consent, monotonic() + _LIFETIME_S)
        self._by_device_code[device_code] = self._by_user_code[user_code] = login
        address = f"{origin}{VERIFICATION_PATH}"
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={user_code}",
            "expires_in": _LIFETIME_S,
            "interval": _INTERVAL_S,
        }

    def decide(self, user_code: str, *, allow: bool) -> bool:
        """Allow or deny a login as a person does; return whether there is one that waits with this code."""
        login = self._by_user_code.pop(user_code.strip().upper(), None)
        if login is None or monotonic() > login.ends_at:
            return False
        login.is_allowed = allow
        return True

    def poll(self, device_code: str, host: str, client_id: str) -> Issued | str:
        """Return the tokens of a login, or the error (RFC 8628 §3.5)."""
        login, now = self._by_device_code.get(device_code), monotonic()
        if login is None or (login.consent.host, login.consent.client_id) != (host, client_id):
            return "invalid_grant"
        is_early = now - login.polled_at < _SHORTEST_PAUSE_S
        login.polled_at = now
        if login.is_allowed is None:
            return "expired_token" if now > login.ends_at else "slow_down" if is_early else "authorization_pending"
        del self._by_device_code[device_code]  # good for one use
        return self._grants.grant(login.consent) if login.is_allowed else "access_denied"


def page(user_code: str) -> bytes:
    """Return the page on which a person enters the code."""
    return _PAGE.format(code=html.escape(user_code, quote=True)).encode()
