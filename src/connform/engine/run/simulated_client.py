"""The OAuth client of a connection as its simulated server knows it, and the endpoints of that server.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connform.auth.interface import AuthInputs
from connform.auth.kit import client
from connform.secret import Secret
from connform.simulator.clients import Client
from connform.simulator.tokens import CLIENT_CREDENTIALS, JWT_BEARER, WITH_PERSON

_GRANT_TYPES = {"client_credentials": frozenset({CLIENT_CREDENTIALS}), "jwt_bearer": frozenset({JWT_BEARER})}
"""Flow → what its clients may ask for; all others have a person behind them."""


def simulated_client(
    inputs: AuthInputs, check: Callable[[str], Callable[[str], bool] | None]
) -> tuple[Client, Mapping[str, str]]:
    """Return the client, and kind of endpoint → URL.

    Args:
        inputs: those of the auth method.
        check: returns, for an audience, what says whether a text is a JWT of the client; `None` for a client that signs none.
    """
    settings = inputs.settings
    server, options = client.server(settings, inputs.server), client.token_options(inputs)
    secret, authentication = inputs.secrets.get(client.CLIENT_SECRET), settings.get("client_auth", "basic")
    is_public = secret is None and authentication in ("basic", "body")
    known = Client(
        settings.get("client_id", ""),
        _GRANT_TYPES.get(settings.get("flow", ""), WITH_PERSON),
        "none" if is_public else authentication,
        secret.reveal() if secret else "",
        check(server.token_url or server.issuer),
        options.body,
        dict(revealed(options.parameters)),
    )
    return known, {kind: url for kind in client.SERVER_URLS if (url := getattr(server, kind))}


def revealed(value: Any) -> Any:
    """Return plain data with its synthetic secrets in clear."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: revealed(one) for key, one in value.items()}
    return [revealed(one) for one in value] if isinstance(value, list | tuple) else value
