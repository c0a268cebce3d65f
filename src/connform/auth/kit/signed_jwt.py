"""Auth methods that sign their own JWT: no server issues it, and it is renewed in memory before its end (RFC 7519).

Layer 2; reads the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from connform.auth.described.kinds import JWT
from connform.auth.interface import AuthInputs, MethodKind, SecretUse
from connform.auth.kit.jwt_settings import judge_key, key_name, signer
from connform.auth.kit.jwt_signer import JwtSigner
from connform.auth.kit.token_placement import placed_lines
from connform.http.credential import NO_LINES, Credential, HeaderLines
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer

_USED_SHARE = 0.5
"""The share of its lifetime for which a JWT is used: a fifth of it lies in the past (`jwt_signer.py`), and requests take time."""


class SignedJwtCredential(Credential):
    """The credential of one connection. Threads may share it: two that sign at the same time each send a JWT of their own."""

    is_renewable = True
    scheme = ""

    def __init__(
        self,
        signer: JwtSigner,
        lines: Callable[[Secret], HeaderLines],
        scheme: str = "",
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Set what is signed and sent. Nothing is signed before the first request.

        Args:
            signer: signs the JWTs.
            lines: makes what is sent of a JWT.
            scheme: the authentication scheme in front of it, such as `Bearer`.
            clock: returns seconds that no change of the time of day disturbs.
        """
        self.scheme = scheme
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


class SignedJwt(MethodKind):
    """Methods whose settings say how their JWT is signed (`jwt`) and sent (`headers`, `query`)."""

    def judge(self, key: str, secret: Secret) -> None:
        """Require a private key."""
        judge_key(key, secret)

    def uses(self, auth: Mapping[str, Any], server: AuthorizationServer) -> Iterator[SecretUse]:  # noqa: ARG002  (the API alone gets it)
        """Yield the key, whose JWTs are sent to the API."""
        yield SecretUse(key_name(auth), use="signs JWTs")

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential that signs a JWT before the present one ends."""
        lines, scheme = placed_lines(inputs, JWT)
        return SignedJwtCredential(signer(inputs, audience=inputs.client.base_url), lines, scheme)


SIGNED_JWT = SignedJwt()
