"""The client credentials grant: a token for the app itself (RFC 6749 §4.4). Layer 2; uses the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connform.auth.oauth.token_answer import Tokens
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.tokens.interface import TokenRequest
from connform.auth.tokens.oauth_request import binding_of, request_token

_GRANT_TYPE = "client_credentials"


class ClientCredentials(TokenRequest):
    """Obtains a token for the client of a token endpoint."""

    def __init__(self, endpoint: TokenEndpoint, scopes: Sequence[str], bound_to: Mapping[str, Any]) -> None:
        """Set what is asked for. No IO.

        Args:
            endpoint: the token endpoint, with the client.
            scopes: the requested scopes; without any, no `scope` is sent.
            bound_to: what else the tokens are issued for, JSON-ready: the API's root, the references with their versions.
        """
        self._endpoint = endpoint
        self._scopes = tuple(scopes)
        self._bound_to = bound_to

    @property
    def binding(self) -> Mapping[str, Any]:
        own = {"grant_type": _GRANT_TYPE, "scopes": list(self._scopes)}
        return {**self._bound_to, **binding_of(self._endpoint), **own}

    def obtain(self, ends_at: float) -> Tokens:
        form = {"scope": " ".join(self._scopes)} if self._scopes else {}
        return request_token(self._endpoint, _GRANT_TYPE, form, ends_at)
