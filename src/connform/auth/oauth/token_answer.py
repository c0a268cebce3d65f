"""The answers of a token endpoint: tokens, or the error that an answer stands for. Layer 2, no IO. RFC 6749 §5."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connform.auth.oauth.id_token import account_in
from connform.errors import ConnectionFailed
from connform.http.header import bearer
from connform.retry_after import parse_retry_after
from connform.secret import Secret

_LONGEST_LIFE_S = 10 * 365 * 86_400.0
"""The longest lifetime of an access token that is used. A longer one means that it does not expire, and may overflow a date."""
_SUCCESS = range(200, 300)
"""Any 2xx: some servers answer 201 or 202."""
_NOT_FOUND, _NO_SUCH_METHOD, _UNAUTHORIZED, _TIMEOUT, _TOO_MANY, _SERVER_ERROR = 404, 405, 401, 408, 429, 500
_GRANT_ERRORS = {
    "invalid_grant",  # RFC 6749 §5.2
    "invalid_token",  # RFC 6750 §3.1: some servers say it of a refresh token
    *("interaction_required", "login_required", "consent_required"),  # OpenID Connect Core 1.0 §3.1.2.6
    "bad_refresh_token",  # GitHub: github.com/lelylan/simple-oauth2/issues/459, read 2026-11-28
    "bad_verification_code",  # GitHub, of a code: its page "Troubleshooting OAuth app access token request errors"
    *("invalid_refresh_token", "invalid_code"),  # Slack, with a 200: docs.slack.dev/reference/methods/oauth.v2.access
}
"""The code is not accepted, or the customer has to log in again."""
_APP_ERRORS = {
    *("invalid_client", "unauthorized_client"),  # RFC 6749 §5.2
    "incorrect_client_credentials",  # GitHub
    # Slack: docs.slack.dev/reference/methods/oauth.v2.access, read 2026-11-28
    *("invalid_client_id", "bad_client_secret"),
}
"""The app is refused: its secret is wrong, or it may not do this."""
_APP_ERRORS_WITH_401 = {"", "invalid_request"}
"""What else says so with a 401 (RFC 6749 §5.2): no known name, or Apigee's."""
_REQUEST_ERRORS = {"invalid_request", "invalid_scope", "unsupported_grant_type"}
"""The request is refused (RFC 6749 §5.2)."""
_REFUSED_TOKEN = re.compile(
    r"refresh[ _]token\b.*\b(invalid|expired|revoked)\b|\binvalid (refresh[ _]token|authorization code)\b",
    re.IGNORECASE,
)
"""What Databricks and Apigee say beside `invalid_request`: github.com/databricks/cli/issues/667, read 2026-11-28."""
_NAMES = {"error": "ErrorCode", "error_description": "Error"}
"""The names that Apigee has for the parameters of an error: cloud.google.com/apigee/docs/api-platform/reference/policies/oauth-http-status-code-reference."""
_MAX_DESCRIPTION_CHARACTERS = 1000
"""What is searched of it: the time grows with the square of its length."""
_REFRESH_LIFETIMES = ("refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in")
"""What GitHub and Microsoft, Keycloak, and Intuit call the lifetime of a refresh token; no RFC has a name for it."""
_BOUND_TYPES = {"mac", "dpop", "pop"}
"""Types of tokens that need a proof with each request. Any other is used as a bearer token, whatever its server calls it."""
_ERROR_NAME = re.compile(r"[a-z]{2,20}(_[a-z]{1,20}){1,4}")
"""An error's name that messages repeat; a generated value does not look like one."""


class GrantRefused(Exception):
    """The code or the refresh token was used, has expired or was revoked, or the customer has to log in (RFC 6749 §5.2)."""


class AnswerLost(Exception):
    """The request was sent, but its answer was lost or is unusable: the code or refresh token may be spent."""


class EndpointFailed(ConnectionFailed):
    """The token endpoint answered with an error."""

    def __init__(
        self,
        fault: str,
        message: str,
        hint: str = "",
        retry_after_s: float | None = None,
        *,
        may_be_spent: bool = False,
    ) -> None:
        super().__init__(fault, message, hint)
        self.retry_after_s = retry_after_s
        """The pause that the server asked for (`Retry-After`); `None` without one."""
        self.may_be_spent = may_be_spent
        """Whether a gateway may have answered for a server that has spent the code or the refresh token."""


class Tokens(NamedTuple):
    """The tokens in a successful answer (RFC 6749 §5.1)."""

    access_token: Secret
    """The access token."""
    refresh_token: Secret | None
    """A new refresh token; `None` if the answer has none, so that the old one stays valid (RFC 6749 §6)."""
    lifetime_s: float | None
    """The lifetime of the access token in seconds; `None` if unknown."""
    scopes: tuple[str, ...] | None
    """The granted scopes; `None` if they are the requested ones."""
    refresh_lifetime_s: float | None = None
    """The lifetime of the refresh token in seconds; `None` if unknown."""
    account: str = ""
    """Who granted it, by the ID token; empty without one."""


class TokenAnswer(NamedTuple):
    """An answer of a token or revocation endpoint."""

    status: int
    """Its status."""
    retry_after: str
    """The value of `Retry-After`, or empty."""
    body: bytes
    """Its body."""


def read_tokens(answer: TokenAnswer) -> Tokens:
    """Return the tokens in an answer.

    Raises:
        GrantRefused: the code or refresh token is no longer accepted.
        AnswerLost: the answer is a success, but holds no usable token.
        EndpointFailed: `client_credentials_rejected`, `token_endpoint_unavailable`.
    """
    content = parse_object(answer.body)
    access, refresh = content.get("access_token"), content.get("refresh_token")
    if answer.status not in _SUCCESS or access is None:
        raise_error(answer)
    if isinstance(refresh, int) and not isinstance(refresh, bool):
        refresh = str(refresh)
    if not isinstance(access, str) or not isinstance(refresh, str | None):
        # An unreadable success: the refresh token is spent, and the new tokens are lost.
        what = "an access token" if content else "tokens: with a page, perhaps"
        message = f"the token endpoint answered {answer.status} without {what}"
        raise AnswerLost(message)
    if str(content.get("token_type")).lower() in _BOUND_TYPES:
        message = "the token endpoint issued a token that needs a proof with each request, not a bearer token"
        raise AnswerLost(message)
    token = Secret(access)
    try:
        bearer(token, key="access_token")
    except ConnectionFailed as unusable:  # its message never contains the token
        raise AnswerLost(unusable.message) from None
    return Tokens(
        token,
        Secret(refresh) if refresh else None,
        lifetime_of(content.get("expires_in")),
        _scopes(content.get("scope")),
        lifetime_of(next((content[name] for name in _REFRESH_LIFETIMES if name in content), None)),
        account_in(content.get("id_token")),
    )


def read_revocation(answer: TokenAnswer) -> bool:
    """Return whether the endpoint revokes tokens of the kind that was sent (RFC 7009 §2.2); errors as for `read_tokens`."""
    if answer.status in {_NOT_FOUND, _NO_SUCH_METHOD} or error_of(answer) == "unsupported_token_type":
        return False
    raise_error(answer)
    return True


def raise_error(answer: TokenAnswer, endpoint: str = "the token endpoint") -> None:
    """Raise the error that an answer of an endpoint stands for, whatever its status; a success without one raises nothing."""
    status, error = answer.status, error_of(answer)
    is_gateway = status >= _SERVER_ERROR or status == _TIMEOUT
    name = error if _ERROR_NAME.fullmatch(error) else ""
    message, hint = f"{endpoint} answered {status} {name}".rstrip(), ""
    if not is_gateway:
        if error in _GRANT_ERRORS or (error == "invalid_request" and _refuses_the_token(answer)):
            raise GrantRefused(name)
        if error in _APP_ERRORS or (status == _UNAUTHORIZED and name in _APP_ERRORS_WITH_401):
            raise EndpointFailed("client_credentials_rejected", message)
        if error in _REQUEST_ERRORS:
            hint = "ask the vendor what the app may ask for; a stored grant is as it was"
        elif status in _SUCCESS and not error:
            return
        elif not name and status != _TOO_MANY:
            message = f"{message}, which is none of its answers"
    if is_gateway:
        hint = "try again later: the next use sends the token once more; it may be spent where a gateway answered"
    retry_after_s = parse_retry_after(answer.retry_after, datetime.now(UTC))
    raise EndpointFailed("token_endpoint_unavailable", message, hint, retry_after_s, may_be_spent=is_gateway)


def error_of(answer: TokenAnswer, parameter: str = "error") -> str:
    """Return the text of an error's parameter (RFC 6749 §5.2); empty without one. No output shows it."""
    content = parse_object(answer.body)
    value = content.get(parameter, content.get(_NAMES[parameter]))
    return value if isinstance(value, str) else ""


def _refuses_the_token(answer: TokenAnswer) -> bool:
    description = error_of(answer, "error_description")
    return bool(_REFUSED_TOKEN.search(description[:_MAX_DESCRIPTION_CHARACTERS]))


def lifetime_of(value: Any) -> float | None:
    """Return seconds; `None` for 0, less, or no number: such a token is used until the API refuses it."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    except OverflowError:
        return _LONGEST_LIFE_S
    return min(seconds, _LONGEST_LIFE_S) if seconds > 0 else None


def _scopes(value: Any) -> tuple[str, ...] | None:
    """Return scopes, separated by spaces (RFC 6749 §3.3) or commas, or in a list; `None` without any."""
    words = [word for word in value if isinstance(word, str)] if isinstance(value, list) else [value]
    found = [scope for word in words if isinstance(word, str) for scope in re.split(r"[\s,]+", word) if scope]
    return tuple(found) or None


def parse_object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in a body; empty for anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
