"""The answer of a login call: a token at a JSON Pointer, with its lifetime. Layer 2, no IO. Nothing of a body is shown."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connform.auth.oauth.token_answer import EndpointFailed, TokenAnswer, Tokens, lifetime_of
from connform.auth.tokens.oauth_request import REFUSALS
from connform.http.header import problem_of
from connform.json_pointer import at_pointer
from connform.retry_after import parse_retry_after
from connform.secret import Secret

_MAX_TOKEN_BYTES = 8 * 1024
_SUCCESS, _REDIRECTS, _PASSING, _SERVER_ERROR = range(200, 300), range(300, 400), {408, 429}, 500
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")  # RFC 3339 §5.6
_REFUSED = "correct the secrets of the login: the vendor issues them per environment"
_ADDRESS = "correct the address of the login: it is the only one that the secrets are sent to"
_LATER = "try again later"


class TokenLifetime(NamedTuple):
    """How long the token of a login call lives; with none of the three, it is used until the API refuses it."""

    seconds: float | None = None
    """As the vendor documents it."""
    seconds_at: str = ""
    """The JSON Pointer of the seconds in the answer."""
    time_at: str = ""
    """The JSON Pointer of the token's end in the answer, an RFC 3339 time."""


def read_login(answer: TokenAnswer, token_at: str, lifetime: TokenLifetime) -> Tokens:
    """Return the token in an answer.

    Args:
        answer: the answer to the login call.
        token_at: the JSON Pointer of the token, a text of 8 KiB at most.
        lifetime: how long it lives.

    Raises:
        EndpointFailed: `client_credentials_rejected`, `token_endpoint_unavailable`.
    """
    status = answer.status
    if status in _SUCCESS:
        return _token(answer, token_at, lifetime)
    message = f"the login was answered with {status}"
    if status in REFUSALS:
        raise EndpointFailed("client_credentials_rejected", message, _REFUSED)
    if status in _REDIRECTS:
        message = f"{message}, a redirect, which is not followed"
    hint = _LATER if status in _PASSING or status >= _SERVER_ERROR else _ADDRESS
    retry_after_s = parse_retry_after(answer.retry_after, datetime.now(UTC))
    raise EndpointFailed("token_endpoint_unavailable", message, hint, retry_after_s)


def _token(answer: TokenAnswer, token_at: str, lifetime: TokenLifetime) -> Tokens:
    content: Any = None
    with suppress(ValueError, RecursionError):
        content = json.loads(answer.body)
    value, problem = at_pointer(content, token_at), ""
    if not isinstance(value, str) or not value:
        problem = f"without a text at {token_at}"
    elif len(value.encode(errors="replace")) > _MAX_TOKEN_BYTES:
        problem = f"with more than 8 KiB at {token_at}"
    elif unsendable := problem_of(Secret(value)) or ("holds a space" if " " in value else ""):
        problem = f"with a token that {unsendable}"
    if problem:
        hint = "correct `token_at`, or ask the vendor what a login is answered with"
        raise EndpointFailed(
            "token_endpoint_unavailable", f"the login was answered with {answer.status} {problem}", hint
        )
    return Tokens(Secret(value), None, _lifetime(content, lifetime), None)


def _lifetime(content: Any, lifetime: TokenLifetime) -> float | None:
    if lifetime.time_at:
        return lifetime_of(_seconds_until(at_pointer(content, lifetime.time_at)))
    return lifetime_of(at_pointer(content, lifetime.seconds_at) if lifetime.seconds_at else lifetime.seconds)


def _seconds_until(time: Any) -> float | None:
    """Return the seconds until an RFC 3339 time; `None` for anything else."""
    if isinstance(time, str) and _TIME.fullmatch(time):
        with suppress(ValueError, OverflowError):
            return (datetime.fromisoformat(time.upper()) - datetime.now(UTC)).total_seconds()
    return None
