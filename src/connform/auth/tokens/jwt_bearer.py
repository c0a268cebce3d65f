"""The JWT bearer grant: a signed JWT for an access token (RFC 7523 §2.1). Layer 2; uses the network.

Most servers that have it know the app by the JWT alone: no client authenticates beside it (RFC 7523 §3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connform.auth.kit.jwt_signer import JwtSigner
from connform.auth.oauth.token_answer import Tokens
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.tokens.interface import TokenRequest
from connform.auth.tokens.oauth_request import binding_of, request_token
from connform.secret import Secret

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtBearer(TokenRequest):
    """Obtains a token for the subject of a JWT."""

    def __init__(
        self, endpoint: TokenEndpoint, signer: JwtSigner, scopes: Sequence[str], bound_to: Mapping[str, Any]
    ) -> None:
        """Set what is asked for. No IO.

        Args:
            endpoint: the token endpoint; its client has an empty `client_id` where none authenticates.
            signer: signs the assertions.
            scopes: sent as the parameter `scope`; empty where they are a claim of the JWT.
            bound_to: as for `ClientCredentials`.
        """
        self._endpoint = endpoint
        self._signer = signer
        self._scopes = tuple(scopes)
        self._bound_to = bound_to

    @property
    def binding(self) -> Mapping[str, Any]:
        own = {"grant_type": _GRANT_TYPE, "jwt": self._signer.binding, "scopes": list(self._scopes)}
        return {**self._bound_to, **binding_of(self._endpoint), **own}

    def obtain(self, ends_at: float) -> Tokens:
        form: dict[str, str | Secret] = {"assertion": self._signer.sign()}
        if self._scopes:
            form["scope"] = " ".join(self._scopes)
        return request_token(self._endpoint, _GRANT_TYPE, form, ends_at)
