"""The pause after a failed call of the token endpoint, in which no further call is made.

Layer 2, reads the monotonic clock.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from connform.errors import ConnectionFailed

_FIRST_S: Final = 1.0
_LONGEST_OWN_S: Final = 30.0
_LONGEST_S: Final = 60.0
"""Whatever a server asks for; and for an app that it rejects, which only a person can mend."""


class CoolDown:
    """The failures of one credential's token calls, since the last that went well."""

    def __init__(self) -> None:
        self._failure = ("", "", "")
        self._ends_at = 0.0
        self._next_pause_s = _FIRST_S

    def check(self) -> None:
        """Fail as the last call did, while it is too early for another.

        Raises:
            ConnectionFailed: the class of the failure that is remembered.
        """
        remaining_s = self._ends_at - monotonic()
        if remaining_s > 0:
            fault, message, hint = self._failure
            raise ConnectionFailed(fault, f"{message}; it is not asked again for {remaining_s:.0f} s", hint)

    def begin(self, failure: ConnectionFailed, retry_after_s: float | None = None) -> None:
        """Take note of a failure.

        Args:
            failure: what callers are told meanwhile.
            retry_after_s: the server's wish (`Retry-After`); without one, each failure doubles the time.
        """
        pause_s = retry_after_s or self._next_pause_s
        if failure.fault.name == "client_credentials_rejected":
            pause_s = _LONGEST_S
        self._next_pause_s = min(self._next_pause_s * 2, _LONGEST_OWN_S)
        self._failure = (failure.fault.name, failure.message, failure.hint)
        self._ends_at = monotonic() + min(pause_s, _LONGEST_S)

    def end(self) -> None:
        """Forget: a call went well."""
        self._ends_at, self._next_pause_s = 0.0, _FIRST_S
