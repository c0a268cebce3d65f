"""The auth method `bearer`: a token obtained elsewhere, in the Authorization header (RFC 6750 §2.1).

Layer 2, no IO.
"""

from __future__ import annotations

from connform.auth.interface import AuthInputs, AuthMethod
from connform.http.credential import Credential
from connform.http.header import bearer, require_sendable
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape
from connform.secret import Secret


class Bearer(AuthMethod):
    """The method `bearer`."""

    shape = Shape(
        properties={"token": REFERENCE},
        required=("token",),
        description="A token that somebody else obtains and renews.",
    )

    def judge(self, key: str, secret: Secret) -> None:
        """Require a secret that can be sent in a header."""
        require_sendable(secret, key=key)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential that sends the token in the Authorization header."""
        return bearer(inputs.secrets["token"], key="token")


METHOD = Bearer()
