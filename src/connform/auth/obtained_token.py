"""Auth methods that obtain their token without a person: client credentials, a signed JWT, one login call.

Layer 2, no IO of its own: `auth/tokens/` obtains and renews the token.
"""

from __future__ import annotations

from connform.auth.interface import AuthInputs, MethodKind
from connform.http.settings import Credential


class ObtainedToken(MethodKind):
    """A method whose settings say how its token is obtained: `flow` or `login`."""

    obtains_token = True

    def credential(self, inputs: AuthInputs) -> Credential:
        raise NotImplementedError


OBTAINED_TOKEN = ObtainedToken()
