"""What the log `connform.tokens` says of one call of a server that issues tokens: what for, and what came of it; no token.

Layer 2, no IO, reads the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from connform.auth.oauth.token_answer import AnswerLost, GrantRefused, Tokens
from connform.debug_log import TOKENS
from connform.errors import ConnectionFailed

T = TypeVar("T")


def logged(connection: str, what: str, call: Callable[[], T]) -> T:
    """Return what a call returns, and write to the log that it begins and how it ends.

    Args:
        connection: its name.
        what: the kind of call: `token request (grant type refresh_token)`.
        call: sends it. It is called inside of the caller's `hidden_frames`.
    """
    if not TOKENS.is_on:
        return call()
    TOKENS.write("%s: %s", connection, what, connection=connection)
    began_at = monotonic()
    try:
        result = call()
    except (AnswerLost, GrantRefused, ConnectionFailed) as failure:
        fault = failure.fault.name if isinstance(failure, ConnectionFailed) else type(failure).__name__
        TOKENS.write("%s: %s failed (%s): %s", connection, what, fault, failure, connection=connection)
        raise
    elapsed_ms = (monotonic() - began_at) * 1000
    TOKENS.write(
        "%s: %s ended with %s (%.1f ms)", connection, what, _outcome(result), elapsed_ms, connection=connection
    )
    return result


def _outcome(result: object) -> str:
    if not isinstance(result, Tokens):
        return "an answer"
    ends = "of no known end" if result.lifetime_s is None else f"for {result.lifetime_s:.0f} s"
    return f"an access token {ends}" + (" and a refresh token" if result.refresh_token else "")
