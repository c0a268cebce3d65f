"""Total time-out of an exchange: it limits the time of each socket operation inside.

Layer 1, reads the monotonic clock. httpx has no total time-out; a deadline is carried by a context variable from the transport to the network streams,
which httpcore calls without telling them what for.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDS_AT: ContextVar[float | None] = ContextVar("connform_deadline", default=None)
_TIMER_SLACK_S: Final = 0.005
"""Timers may ring a little early."""


class until:  # noqa: N801  (used as a function; a generator takes three times as long)
    """Let everything inside end at `ends_at`, on the monotonic clock."""

    __slots__ = ("_ends_at", "_token")

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at

    def __enter__(self) -> None:
        self._token = _ENDS_AT.set(self._ends_at)

    def __exit__(self, *_: object) -> None:
        _ENDS_AT.reset(self._token)


@contextmanager
def within(total_s: float) -> Iterator[None]:
    """Let everything inside, several exchanges perhaps, end within `total_s`, or earlier where an outer deadline says so."""
    with until(end_of(total_s)):
        yield


def end_of(total_s: float) -> float:
    """Return when an exchange of `total_s` that starts now ends: at its own end or at that of the deadline around it."""
    outer = _ENDS_AT.get()
    own = monotonic() + total_s
    return own if outer is None else min(own, outer)


def allow(own_s: float | None) -> float | None:
    """Return the seconds that one operation may take: its own time-out or what is left of the total.

    Raises:
        TimeoutError: nothing is left.
    """
    ends_at = _ENDS_AT.get()
    left = float("inf") if ends_at is None else ends_at - monotonic()
    allowed_s = left if own_s is None else min(own_s, left)
    if allowed_s <= 0:  # to a socket, a time-out of 0 would mean that it must not block
        raise TimeoutError
    return None if allowed_s == float("inf") else allowed_s


def is_spent() -> bool:
    """Return whether the total is used up: the reason of a time-out that has just happened."""
    ends_at = _ENDS_AT.get()
    return ends_at is not None and monotonic() >= ends_at - _TIMER_SLACK_S
