"""The steps of one request, without IO: renew the credential, send, wait, retry.

Layer 1, no IO, reads the clock. A generator yields the steps; the sync and the async transport carry them out.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from connform.http import limits, retry
from connform.http.failures import RequestFailed
from connform.http.settings import NO_LINES, Credential, HeaderLines
from connform.origin import Origin
from connform.retry_after import parse_http_date

if TYPE_CHECKING:
    import httpcore


_ERRORS_FROM = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
"""Some APIs answer it, and never 401, for a token that has ended."""
_INSUFFICIENT_SCOPE = "insufficient_scope"
_TOO_MANY = 429
_JITTER_S = 0.5
"""Random extra wait, so that requests that waited for the same moment don't start at once."""


class Renew(NamedTuple):
    """Step: renew the credential. The result is its header lines."""

    credential: Credential
    """The credential to renew."""
    refused: HeaderLines
    """The lines that the server answered with 401; empty where nothing was sent."""


class SendRequest(NamedTuple):
    """Step: send the request. The result is the answer, or the `RequestFailed`."""

    credential: HeaderLines
    """The header lines that are added to it."""


class Wait(NamedTuple):
    """Step: wait. The result is `None`."""

    seconds: float
    """How long."""


class Operation(NamedTuple):
    """One request's destination and limits."""

    origin: Origin
    """The origin that it is sent to."""
    path: str
    """Its path, without the query."""
    is_safe: bool
    """Whether it only reads."""
    can_repeat: bool
    """Whether its body can be sent a second time."""
    attempts: int
    """How often it is sent at most; repeating it with a renewed credential doesn't count."""
    ends_at: float
    """The deadline, on the monotonic clock."""
    account: str = ""
    """The account of a renewable credential; empty for others. Rate limits are remembered for it."""


def exchange(
    credential: Credential | None, operation: Operation
) -> Generator[Renew | SendRequest | Wait, Any, httpcore.Response]:
    """Yield the steps of an exchange, and return the answer. The caller closes an answer before it sends or waits again.

    Raises:
        RequestFailed: of the last attempt, or `rate_limited` where a remembered rate limit lasts too long.
    """
    lines = credential.headers() if credential else NO_LINES
    renewable = credential if credential and credential.is_renewable else None
    if renewable and not lines:
        lines = yield Renew(renewable, NO_LINES)
    attempt = 1
    while True:
        if operation.attempts > 1 and (
            pause_s := limits.delay_s(operation.origin, operation.path, operation.account or lines)
        ):
            yield Wait(_checked_pause(pause_s, operation))
        outcome = yield SendRequest(lines)
        if isinstance(outcome, RequestFailed):
            pause = retry.after_failure(outcome, attempt, safe=operation.is_safe)
        else:
            if renewable and _refuses_credential(outcome):
                renewed = yield Renew(renewable, lines)
                renewable = None  # a second refusal doesn't come from an expired credential
                if renewed != lines and operation.can_repeat:
                    lines = renewed
                    continue
            if outcome.status < _ERRORS_FROM:  # the usual case, returned without further work
                return cast("httpcore.Response", outcome)
            pause = _pause(outcome, lines, attempt, operation)
        is_final = attempt >= operation.attempts or not operation.can_repeat
        if is_final or pause is None or monotonic() + pause >= operation.ends_at:
            if isinstance(outcome, RequestFailed):
                raise outcome
            answer: httpcore.Response = outcome
            return answer
        yield Wait(pause)
        attempt += 1


def _refuses_credential(answer: httpcore.Response) -> bool:
    """Return whether an answer may be about an expired credential: a 401, or a 403 that does not speak of scopes (RFC 6750 §3.1)."""
    if answer.status == _FORBIDDEN:
        return _INSUFFICIENT_SCOPE not in _header(answer, b"www-authenticate")
    return answer.status == _UNAUTHORIZED


def _pause(answer: httpcore.Response, lines: HeaderLines, attempt: int, operation: Operation) -> float | None:
    now = datetime.now(UTC)
    server_time = parse_http_date(_header(answer, b"date"), now) or now  # of which a date in `Retry-After` speaks
    asked_s = retry.asked_s(answer.status, _header(answer, b"retry-after"), server_time)
    if asked_s and answer.status == _TOO_MANY:
        limits.remember(operation.origin, operation.path, operation.account or lines, asked_s)
    return retry.after_answer(answer.status, asked_s, attempt, safe=operation.is_safe)


def _header(answer: httpcore.Response, wanted: bytes) -> str:
    return next((value for name, value in answer.headers if name.lower() == wanted), b"").decode("latin-1")


def _checked_pause(pause_s: float, operation: Operation) -> float:
    """Return how long to wait until a rate limit ends.

    Raises:
        RequestFailed: `rate_limited`, it ends too late for this request.
    """
    if monotonic() + pause_s < operation.ends_at:
        return pause_s + random.uniform(0, _JITTER_S)  # noqa: S311  (a pause is no secret)
    until = datetime.now(UTC) + timedelta(seconds=pause_s)
    message = (
        f"{operation.origin} asked to wait: nothing is sent to this path until {until:%FT%TZ}, for {pause_s:.0f} s more"
    )
    raise RequestFailed("rate_limited", message, sent=False)
