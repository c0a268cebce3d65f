"""The steps of one request, without IO: renew the credential, send, wait, retry.

Layer 1, no IO, reads the clock. A generator yields the steps; the sync and the async transport carry them out.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from connform.errors import ConnectionFailed
from connform.http import failures, limits, retry
from connform.http.credential import NO_LINES, Credential, HeaderLines
from connform.origin import Origin

T = TypeVar("T")

_ERRORS_FROM = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
"""Some APIs answer it, and never 401, for a token that has ended."""
_INSUFFICIENT_SCOPE = "insufficient_scope"
_TOO_MANY = 429
_MAX_RENEWALS = 2
"""In one exchange: a secret may be replaced again just when it was read, or the token of another caller be old already."""
_JITTER_S = 0.5
"""Random extra wait, so that requests that waited for the same moment don't start at once."""


class Answered(Protocol):
    """An answer of which status and headers are known, as `httpcore.Response`."""

    status: int
    """HTTP status."""
    headers: list[tuple[bytes, bytes]]
    """Header lines."""


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


class Close(NamedTuple):
    """Step: close an answer, which holds a connection. The result is `None`."""

    answer: Any
    """The answer."""


class Wait(NamedTuple):
    """Step: wait. The result is `None`."""

    seconds: float
    """How long."""


ExchangeSteps: TypeAlias = Generator[Renew | SendRequest | Close | Wait, Any, T]


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
    retry_after_max_s: float
    """The longest wait that the server may ask for."""
    account: str = ""
    """The account of a renewable credential; empty for others. Rate limits are remembered for it."""


def exchange(credential: Credential | None, operation: Operation) -> ExchangeSteps[Any]:
    """Yield the steps of an exchange, and return the answer.

    Raises:
        RequestFailed: of the last attempt, of the credential, or `rate_limited` where a remembered rate limit lasts too long.
    """
    lines = credential.headers() if credential else NO_LINES
    renewable = credential if credential and credential.is_renewable else None
    if renewable and not lines:
        lines = yield from _renew(renewable, NO_LINES)
    attempt, renewals = 1, 0
    while True:
        if operation.attempts > 1 and (
            limit_s := limits.delay_s(operation.origin, operation.path, operation.account or lines)
        ):
            yield Wait(_checked_pause(limit_s, operation))
        outcome = yield SendRequest(lines)
        if not isinstance(outcome, ConnectionFailed) and outcome.status < _ERRORS_FROM:  # the usual case
            return outcome
        if renewable and renewals < _MAX_RENEWALS and _refuses_credential(outcome):
            renewed = yield from _renew_refused(renewable, lines, outcome)
            renewals += 1
            if renewed != lines and operation.can_repeat:
                yield Close(outcome)
                lines = renewed
                continue
        pause_s = _pause_s(outcome, lines, attempt, operation)
        if pause_s is None:
            if isinstance(outcome, ConnectionFailed):
                raise outcome
            return outcome
        if not isinstance(outcome, ConnectionFailed):
            yield Close(outcome)
        yield Wait(pause_s)
        attempt += 1


def _renew(credential: Credential, refused: HeaderLines) -> ExchangeSteps[HeaderLines]:
    try:
        renewed: HeaderLines = yield Renew(credential, refused)
    except ConnectionFailed as failure:
        raise failures.failure_of_request(failure, sent=bool(refused)) from failure.__cause__
    return renewed


def _renew_refused(credential: Credential, refused: HeaderLines, answer: Answered) -> ExchangeSteps[HeaderLines]:
    """Renew the credential; the answer that refused it stays open, as it may be final, and is closed on a failure."""
    try:
        return (yield from _renew(credential, refused))
    except BaseException:
        yield Close(answer)
        raise


def _refuses_credential(outcome: Answered | failures.RequestFailed) -> bool:
    """Return whether an answer may be about an expired credential: a 401, or a 403 that does not speak of scopes (RFC 6750 §3.1)."""
    if isinstance(outcome, ConnectionFailed) or outcome.status not in {_UNAUTHORIZED, _FORBIDDEN}:
        return False
    return outcome.status == _UNAUTHORIZED or _INSUFFICIENT_SCOPE not in _header(outcome, b"www-authenticate")


def _pause_s(
    outcome: Answered | failures.RequestFailed, lines: HeaderLines, attempt: int, operation: Operation
) -> float | None:
    """Return for how long to wait before the request is repeated; `None` where the outcome is final."""
    if isinstance(outcome, ConnectionFailed):
        pause_s = retry.after_failure(outcome, attempt, safe=operation.is_safe)
    else:
        asked_s = retry.asked_s(outcome.status, _header(outcome, b"retry-after"), _header(outcome, b"date"))
        if asked_s and outcome.status == _TOO_MANY:
            wait_s = min(asked_s, operation.retry_after_max_s)
            limits.remember(operation.origin, operation.path, operation.account or lines, wait_s)
        longest_s = operation.retry_after_max_s
        pause_s = retry.after_answer(outcome.status, asked_s, attempt, safe=operation.is_safe, longest_s=longest_s)
    is_final = attempt >= operation.attempts or not operation.can_repeat
    return None if is_final or pause_s is None or monotonic() + pause_s >= operation.ends_at else pause_s


def _header(answer: Answered, wanted: bytes) -> str:
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
    raise failures.RequestFailed("rate_limited", message, sent=False)
