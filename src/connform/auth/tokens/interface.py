"""The interface of what obtains an access token without a person (`TokenRequest`). Layer 2, no IO."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Protocol

from connform.auth.oauth.token_answer import Tokens
from connform.secret import Secret
from connform.tracebacks import hidden_frames


class TokenRequest(Protocol):
    """Obtains a token without a person: one call."""

    @property
    def binding(self) -> Mapping[str, Any]:
        """What its tokens are issued for, JSON-ready and without any secret: root, token URL, client id, references with versions, parameters.

        A token that was issued for another binding is never used. It is recorded beside the token as it is.
        """

    def obtain(self, ends_at: float) -> Tokens:
        """Return a new token. A refresh token in it is not used.

        Args:
            ends_at: the end of the call, on the monotonic clock; nothing is sent after it.

        Raises:
            ConnectionFailed: `client_credentials_rejected`, `token_endpoint_unavailable` (an `EndpointFailed` says for how long the server
                asks to wait), or a fault of the network.
        """


def binding_text(request: TokenRequest) -> str:
    """Return the binding of a request as canonical JSON: sorted keys, no blanks, ASCII."""
    return json.dumps(request.binding, sort_keys=True, separators=(",", ":"))


def digest_of(secrets: Mapping[str, Secret]) -> Secret:
    """Return a digest of secrets, which is as secret as they are: short ones could be guessed by it."""
    with hidden_frames():
        content = json.dumps({name: secret.reveal() for name, secret in secrets.items()}, sort_keys=True)
        return Secret(sha256(content.encode()).hexdigest())
