"""A credential that signs its own JWT: no server issues it, and it is renewed in memory before its end (RFC 7519).

Layer 2; reads the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from connform.auth.jwt import JwtSigner
from connform.http.settings import NO_LINES, Credential, HeaderLines
from connform.secret import Secret

_USED_SHARE = 0.5
"""The share of its lifetime for which a JWT is used: a fifth of it lies in the past (`auth/jwt.py`), and requests take time."""


class SignedJwtCredential(Credential):
    """The credential of one connection. Threads may share it: two that sign at the same time each send a JWT of their own."""

    is_renewable = True

    def __init__(
        self, signer: JwtSigner, lines: Callable[[Secret], HeaderLines], *, clock: Callable[[], float] = monotonic
    ) -> None:
        """Set what is signed and sent. Nothing is signed before the first request.

        Args:
            signer: signs the JWTs.
            lines: makes what is sent of a JWT.
            clock: returns seconds that no change of the time of day disturbs.
        """
        self._signer = signer
        self._make_lines = lines
        self._clock = clock
        self._present = (NO_LINES, 0.0)

    def headers(self) -> HeaderLines:
        """Return the lines of the present JWT; nothing where it must be signed anew."""
        lines, ends_at = self._present
        return lines if self._clock() < ends_at else NO_LINES

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:  # noqa: ARG002  (those of the present JWT, or older)
        """Return the lines of a new JWT; those of the present one where the server refused it: another would say the same."""
        lines = self.headers()
        if not lines:
            lines = self._make_lines(self._signer.sign())
            self._present = (lines, self._clock() + self._signer.template.lifetime_s * _USED_SHARE)
        return lines
