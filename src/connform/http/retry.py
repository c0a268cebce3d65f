"""Retry policy: which requests may be repeated, and after which pause.

Layer 1, no IO. What may be repeated is a matter of the operation: what only reads, always; what changes something, only where the server
can't have done it (RFC 9110 §9.2.2, §10.2.3, §15.5.20 and §15.6.4).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from connform.faults import Stage, Verdict
from connform.retry_after import parse_retry_after

if TYPE_CHECKING:
    from datetime import datetime

    from connform.http.failures import RequestFailed

LONGEST_WAIT_S: Final = 60.0
"""A server that asks for more is not waited for."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 20.0
_SAFE_METHODS: Final = {"GET", "HEAD", "OPTIONS", "TRACE"}  # RFC 9110 §9.2.1
_TRANSIENT: Final = {429, 502, 503, 504}
_NOT_DONE: Final = {429, 503}
"""With `Retry-After`: the server says that it did nothing."""


def is_safe(method: str, path: str, root: str, safe_posts: frozenset[str]) -> bool:
    """Whether an operation only reads.

    Args:
        method: upper case.
        path: of the request, without its query.
        root: the path of the base URL.
        safe_posts: paths of POST calls below `root` that only read, as the provider declares them.
    """
    return method in _SAFE_METHODS or (method == "POST" and path.removeprefix(root.rstrip("/")) in safe_posts)


def asked_s(status: int, retry_after: str, received_at: datetime) -> float | None:
    """Return for how many seconds a server wants to be left alone; `None` where it says nothing.

    Args:
        status: HTTP status; only 429 and 503 ask.
        retry_after: the header's value, perhaps empty.
        received_at: aware UTC.
    """
    return parse_retry_after(retry_after, received_at) if retry_after and status in _NOT_DONE else None


def after_answer(status: int, asked_s: float | None, attempt: int, *, safe: bool) -> float | None:
    """Return the pause in seconds behind an answer, or `None` where it stands.

    Args:
        status: HTTP status.
        asked_s: what the server asked for, in seconds.
        attempt: how often the request was sent so far.
        safe: whether the operation only reads.
    """
    if status not in _TRANSIENT or (asked_s is None and not safe) or (asked_s or 0.0) > LONGEST_WAIT_S:
        return None
    return _backoff(attempt) if asked_s is None else asked_s


def after_failure(failure: RequestFailed, attempt: int, *, safe: bool) -> float | None:
    """Return the pause in seconds behind a failure, or `None` where it stands.

    A wrong certificate stays wrong; and what never left this client (it is busy, closed, or told to wait) is not the network's doing.
    """
    is_own = failure.fault.stage is Stage.HTTP and not failure.sent
    if is_own or failure.fault.verdict is Verdict.FAILED or (failure.sent and not safe):
        return None
    return _backoff(attempt)


def _backoff(attempt: int) -> float:
    """Full jitter: callers that failed together do not come back together."""
    return random.uniform(0, min(_FIRST_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S))  # noqa: S311  (a pause is no secret)
