"""Token requests of OAuth that no person is behind: what they are bound to, and what an answer means.

Layer 2; uses the network by `auth/oauth/token_endpoint.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.auth.oauth.token_answer import (
    AnswerLost,
    EndpointFailed,
    GrantRefused,
    TokenAnswer,
    Tokens,
    error_of,
    read_tokens,
)
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.secret import Secret

REFUSALS = frozenset({400, 401, 403})
"""Statuses that say no to who asks. Auth0, for one, answers 403 `access_denied` to an app that may not use an API."""
_ASK = "see the scopes and parameters of the token request: the vendor says what the app may ask for"
_COMPARE = "compare the JWT's issuer, subject, audience and key with what the vendor knows, and this machine's clock with others"
_LATER = "try again later"


def request_token(endpoint: TokenEndpoint, grant_type: str, form: Mapping[str, str | Secret], ends_at: float) -> Tokens:
    """Return the tokens that a token request without a person gets (RFC 6749 §4.4, RFC 7523 §2.1).

    Args:
        endpoint: the token endpoint, with the client.
        grant_type: the name of the grant.
        form: the parameters of the grant.
        ends_at: the end of the call, on the monotonic clock; nothing is sent after it.

    Raises:
        ConnectionFailed: as for `TokenRequest.obtain`.
    """
    try:
        return endpoint.request(grant_type, form, _read, ends_at)
    except AnswerLost as lost:
        raise EndpointFailed("token_endpoint_unavailable", str(lost), _LATER) from None


def _read(answer: TokenAnswer) -> Tokens:
    """Return the tokens in an answer. Unlike `read_tokens`, it speaks of no grant."""
    try:
        return read_tokens(answer)
    except GrantRefused as refused:
        message = f"the token endpoint answered {answer.status} {refused}".rstrip()
        raise EndpointFailed("client_credentials_rejected", message, _COMPARE) from None
    except EndpointFailed as failure:
        if failure.fault.name == "client_credentials_rejected":
            raise
        is_refusal = answer.status in REFUSALS and bool(error_of(answer))
        fault = "client_credentials_rejected" if is_refusal else failure.fault.name
        hint = _ASK if is_refusal else _LATER
        raise EndpointFailed(fault, failure.message, hint, failure.retry_after_s) from None


def binding_of(endpoint: TokenEndpoint) -> dict[str, Any]:
    """Return what an endpoint adds to the binding of its tokens: JSON-ready, no secret."""
    app = endpoint.app
    return {
        "token_url": endpoint.url,
        "client_id": app.client_id,
        "client_auth": app.authentication,
        "assertion": app.assertion.binding if app.assertion else None,
        "parameters": without_secrets(endpoint.options.parameters),
    }


def without_secrets(value: Any) -> Any:
    """Return plain data with `None` in place of each secret."""
    if isinstance(value, Secret):
        return None
    if isinstance(value, Mapping):
        return {key: without_secrets(one) for key, one in value.items()}
    return [without_secrets(one) for one in value] if isinstance(value, list | tuple) else value
