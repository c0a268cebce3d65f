"""An auth method that sends a JWT which it signs itself (RFC 7519). Layer 2; reads the clock."""

from __future__ import annotations

from connform.auth.interface import AuthInputs, MethodKind
from connform.http.settings import Credential


class SignedJwt(MethodKind):
    """A method whose settings say how its JWT is signed: `jwt`."""

    def credential(self, inputs: AuthInputs) -> Credential:
        raise NotImplementedError


SIGNED_JWT = SignedJwt()
