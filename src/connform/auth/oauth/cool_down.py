"""The pause after a failed call of the token endpoint, in which no further call is made.

Layer 2, reads the monotonic clock.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from connform.errors import ConnectionFailed

_FIRST_S: Final = 1.0
_LONGEST_GUESS_S: Final = 30.0
_LONGEST_S: Final = 60.0
"""Whatever a server asks for; and for an app that it rejects, which only a person can mend."""


class CoolDown:
    """The failures of one credential's token calls, since the last that went well."""

    def __init__(self) -> None:
        self._told = ("", "", "")
        self._ends_at = 0.0
        self._guess_s = _FIRST_S

    def check(self) -> None:
        """Fail as the last call did, while it is too early for another.

        Raises:
            ConnectionFailed: the class of the failure that is remembered.
        """
        left_s = self._ends_at - monotonic()
        if left_s > 0:
            fault, message, hint = self._told
            raise ConnectionFailed(fault, f"{message}; it is not asked again for {left_s:.0f} s", hint)

    def begin(self, failure: ConnectionFailed, asked_s: float | None = None) -> None:
        """Take note of a failure.

        Args:
            failure: what callers are told meanwhile.
            asked_s: the server's wish (`Retry-After`); without one, each failure doubles the time.
        """
        pause_s = asked_s or self._guess_s
        if failure.fault.name == "client_credentials_rejected":
            pause_s = _LONGEST_S
        self._guess_s = min(self._guess_s * 2, _LONGEST_GUESS_S)
        self._told = (failure.fault.name, failure.message, failure.hint)
        self._ends_at = monotonic() + min(pause_s, _LONGEST_S)

    def end(self) -> None:
        """Forget: a call went well."""
        self._ends_at, self._guess_s = 0.0, _FIRST_S
