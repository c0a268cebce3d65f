"""Total time-out of an exchange: it limits the time of each socket operation inside.

Layer 1, reads the monotonic clock. httpx has no total time-out. httpcore calls the network streams without a
reference to the request, so the transport passes the deadline to them in a context variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic
from weakref import ref

_TIMER_SLACK_S = 0.005
"""Timers may fire a little early."""


class until:  # noqa: N801  (used as a function; a generator takes three times as long)
    """Set the deadline of the block to `ends_at`, on the monotonic clock.

    The context variable refers to it weakly: where a signal handler raises as `__enter__` returns, nothing resets the variable,
    and the deadline ends with this object.
    """

    __slots__ = ("__weakref__", "_token", "ends_at")

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at

    def __enter__(self) -> None:
        self._token = _BLOCK.set(ref(self))

    def __exit__(self, *_: object) -> None:
        _BLOCK.reset(self._token)


_BLOCK: ContextVar[ref[until] | None] = ContextVar("connform_deadline", default=None)


def _ends_at() -> float | None:
    """Return the deadline of the block around the call; `None` outside of any."""
    reference = _BLOCK.get()
    block = reference() if reference else None
    return block.ends_at if block else None


@contextmanager
def within(total_s: float) -> Iterator[None]:
    """Set the deadline of the block to `total_s` from now, or to an outer deadline that is earlier."""
    with until(end_of(total_s)):
        yield


def end_of(total_s: float) -> float:
    """Return the time `total_s` from now, or the deadline of the block around it if that is earlier."""
    outer = _ends_at()
    own = monotonic() + total_s
    return own if outer is None else min(own, outer)


def allow(own_s: float | None) -> float | None:
    """Return the seconds that one operation may take: the smaller of its own time-out and the time until the deadline.

    Raises:
        TimeoutError: no time is left.
    """
    allowed_s = left_s() if own_s is None else min(own_s, left_s())
    if allowed_s <= 0:  # a socket with a time-out of 0 is non-blocking
        raise TimeoutError
    return None if allowed_s == inf else allowed_s


def is_spent() -> bool:
    """Return whether the deadline has passed. After a time-out, this tells which limit was reached."""
    ends_at = _ends_at()
    return ends_at is not None and monotonic() >= ends_at - _TIMER_SLACK_S


def left_s() -> float:
    """Return the seconds until the deadline, less than 0 after it; `inf` without one."""
    ends_at = _ends_at()
    return inf if ends_at is None else ends_at - monotonic()
