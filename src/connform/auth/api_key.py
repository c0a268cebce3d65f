"""The auth method `api_key`: an API key in the provider's own header.

Layer 2, no IO.
"""

from __future__ import annotations

from connform.auth.interface import AuthInputs, AuthMethod
from connform.http.credential import Credential
from connform.http.header import HeaderCredential, require_sendable
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape
from connform.secret import Secret


class ApiKey(AuthMethod):
    """The method `api_key`."""

    shape = Shape(
        properties={"api_key": REFERENCE},
        required=("api_key",),
        description="A key of one's own organisation, sent in the provider's header.",
    )

    def judge(self, key: str, secret: Secret) -> None:
        """Require a secret that can be sent in a header."""
        require_sendable(secret, key=key)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential that sends the key in the provider's header."""
        return HeaderCredential(inputs.api_key_header, inputs.secrets["api_key"], key="api_key")


METHOD = ApiKey()
