"""The credential of a client that was made in an event loop: its secrets are read by the first request.

Layer 3, no IO of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from connform.http.credential import NO_LINES, Credential, HeaderLines


class LateCredential(Credential):
    """A credential that is made when it is first renewed, which the async transport does in a thread."""

    is_renewable = True

    def __init__(self, make: Callable[[], Credential]) -> None:
        """Take the function that makes the credential. It may block, and is called again after it raised."""
        self._make = make
        self._credential: Credential | None = None

    def headers(self) -> HeaderLines:
        """Return the header lines; nothing until the credential is made."""
        return self._credential.headers() if self._credential else NO_LINES

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the lines of a credential that may be good.

        Raises:
            ConnectionFailed: a secret can't be read, or is malformed, or as the credential.
        """
        if self._credential is None:
            self._credential = self._make()
        lines = self._credential.headers()
        return lines if lines and lines != refused else self._credential.renew(refused)
