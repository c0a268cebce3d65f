"""Retry policy: which requests may be repeated, and after which pause.

Layer 1, no IO, reads the clock. A request that only reads may always be repeated. A request that changes something may be repeated
only if the server can't have carried it out (RFC 9110 §9.2.2, §10.2.3, §15.5.20 and §15.6.4).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

from connform.faults import Stage, Verdict
from connform.http import failures
from connform.retry_after import parse_http_date, parse_retry_after

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 20.0
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}  # RFC 9110 §9.2.1
_TRANSIENT = {429, 502, 503, 504}
_NOT_DONE = {429, 503}
"""With `Retry-After`, these mean that the server did not carry out the request."""


def is_safe(method: str, path: str, root: str, safe_posts: frozenset[str]) -> bool:
    """Return whether a request only reads.

    Args:
        method: upper case.
        path: of the request, without its query.
        root: the path of the base URL.
        safe_posts: paths of POST calls below `root` that only read, as the provider declares them.
    """
    return method in _SAFE_METHODS or (method == "POST" and path.removeprefix(root.rstrip("/")) in safe_posts)


def asked_s(status: int, retry_after: str, date: str) -> float | None:
    """Return for how many seconds a server asks to wait; `None` where it doesn't ask.

    Args:
        status: HTTP status; `Retry-After` counts with 429 and 503 only.
        retry_after: the header's value, perhaps empty.
        date: the value of `Date`, perhaps empty: a date in `Retry-After` is by the server's own clock.
    """
    if not retry_after or status not in _NOT_DONE:
        return None
    now = datetime.now(UTC)
    return parse_retry_after(retry_after, parse_http_date(date, now) or now)


def after_answer(status: int, asked_s: float | None, attempt: int, *, safe: bool, longest_s: float) -> float | None:
    """Return the pause in seconds before a retry, or `None` if the answer is final.

    Args:
        status: HTTP status.
        asked_s: what the server asked for, in seconds.
        attempt: how often the request was sent so far.
        safe: whether the operation only reads.
        longest_s: if the server asks for a longer pause, the answer is final.
    """
    if status not in _TRANSIENT or (asked_s is None and not safe) or (asked_s or 0.0) > longest_s:
        return None
    return backoff(attempt) if asked_s is None else asked_s


def after_failure(failure: failures.RequestFailed, attempt: int, *, safe: bool) -> float | None:
    """Return the pause in seconds before a retry, or `None` if the failure is final.

    These are final: faults with the verdict `failed`, as a wrong certificate; failures of the client itself, as a closed
    one; and, unless the request is safe, failures after the server may have received it.
    """
    is_of_client = failure.fault.stage is Stage.HTTP and not failure.sent
    if is_of_client or failure.fault.verdict is Verdict.FAILED or (failure.sent and not safe):
        return None
    return backoff(attempt)


def backoff(attempt: int) -> float:
    """Return a random pause up to an exponential limit (full jitter), so that callers don't retry at the same time."""
    return random.uniform(0, min(_FIRST_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S))  # noqa: S311  (a pause is no secret)
