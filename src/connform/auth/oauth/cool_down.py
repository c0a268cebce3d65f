"""The pause after a failed call of the token endpoint, in which no further call is made.

Layer 2; reads the monotonic clock. It prevents that many callers flood a server that is failing.
"""

from __future__ import annotations

from time import monotonic

from connform.errors import ConnectionFailed

_FIRST_S = 1.0
_LONGEST_OWN_S = 30.0
_LONGEST_S = 60.0
"""The longest pause, even if the server asks for more. Also the pause after the server rejects the app, which only a person can
correct."""


class CoolDown:
    """The pause of one credential; it grows with each failure since the last successful call."""

    def __init__(self) -> None:
        self._failure = ("", "", "")
        self._ends_at = 0.0
        self._next_pause_s = _FIRST_S

    def check(self) -> None:
        """Require that no pause is running.

        Raises:
            ConnectionFailed: the fault of the last call, during the pause.
        """
        remaining_s = self._ends_at - monotonic()
        if remaining_s > 0:
            fault, message, hint = self._failure
            raise ConnectionFailed(fault, f"{message}; it is not asked again for {remaining_s:.0f} s", hint)

    def begin(self, failure: ConnectionFailed, retry_after_s: float | None = None) -> None:
        """Start a pause after a failure.

        Args:
            failure: raised again during the pause.
            retry_after_s: the pause that the server asked for (`Retry-After`); without it, each failure doubles the pause.
        """
        pause_s = retry_after_s or self._next_pause_s
        if failure.fault.name == "client_credentials_rejected":
            pause_s = _LONGEST_S
        self._next_pause_s = min(self._next_pause_s * 2, _LONGEST_OWN_S)
        self._failure = (failure.fault.name, failure.message, failure.hint)
        self._ends_at = monotonic() + min(pause_s, _LONGEST_S)

    def end(self) -> None:
        """End the pause after a successful call."""
        self._ends_at, self._next_pause_s = 0.0, _FIRST_S
