"""A login by device code (RFC 8628): the person consents on another device. Layer 3; uses the network and the table of grants."""

from __future__ import annotations

from time import monotonic, sleep

from connform.auth.interface import AuthInputs
from connform.auth.oauth.device import DeviceAuthorization
from connform.auth.oauth.device_answers import DevicePrompt
from connform.auth.oauth.token_answer import EndpointFailed
from connform.engine.new_grant import LoginResult, NewGrant, without_stored_grant
from connform.errors import ConnectionFailed


class DeviceLogin(NewGrant):
    """A login on another device. `start` says what the person is shown; `finish` waits for them."""

    def __init__(self, inputs: AuthInputs, scopes: tuple[str, ...]) -> None:
        """Start a login; arguments and errors as for `NewGrant`. No code is asked for yet."""
        super().__init__(inputs, scopes, ("device_authorization_url", "token_url"))

    def start(self) -> DevicePrompt:
        """Ask for the codes, and return what the person is shown. Errors as for `DeviceAuthorization`."""
        self._authorization = DeviceAuthorization(self._endpoint, self._server.device_authorization_url, self.scopes)
        return self._authorization.prompt

    def finish(self, timeout_s: float | None) -> LoginResult:
        """Wait until the person has consented, and store the new grant. Call `start` first.

        Args:
            timeout_s: how long to wait; `None` for as long as the codes are good.

        Raises:
            ConnectionFailed: as for `DeviceAuthorization.poll`; `login_timeout`; a fault of the state database.
        """
        asked = self._authorization
        ends_at = asked.ends_at if timeout_s is None else min(asked.ends_at, monotonic() + timeout_s)
        while monotonic() + asked.pause_s < ends_at:
            sleep(asked.pause_s)
            with self._lock() as locked:  # in each poll alone: nobody else waits for the person
                try:
                    tokens = asked.poll()
                except EndpointFailed as failure:
                    raise without_stored_grant(failure) from None
                if tokens is not None:
                    return self._save(locked, tokens)
        raise ConnectionFailed("login_timeout", "nobody consented in time on another device", "start the login again")
