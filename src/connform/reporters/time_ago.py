"""How long ago something was, and how long something lasts, in words. Layer 4, no IO."""

from __future__ import annotations

from datetime import datetime

from connform.reporters.terminal import format_count

_UNITS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
"""Units and their seconds; a month has 30 days, a year 365."""


def time_ago(at: str, now: datetime) -> str:
    """Return `3 hours ago`, in whole units of the largest that fits; a time that can't be read, or is yet to come, as it is.

    Args:
        at: a time, ISO 8601 with its offset.
        now: the time now, aware.
    """
    try:
        seconds = int((now - datetime.fromisoformat(at)).total_seconds())
    except (ValueError, TypeError):  # a record of another hand
        return at
    if seconds < 0:  # the clocks of two machines differ
        return at
    return f"{_duration(seconds)} ago" if seconds else "just now"


def time_left(at: str, now: datetime) -> str:
    """Return `for 3 hours`, or `ended` for a time that is over; arguments as for `time_ago`."""
    try:
        seconds = int((datetime.fromisoformat(at) - now).total_seconds())
    except (ValueError, TypeError):
        return at
    return f"for {_duration(seconds)}" if seconds > 0 else "ended"


def _duration(seconds: int) -> str:
    unit, length = next((unit, length) for unit, length in _UNITS if seconds >= length)
    return format_count(seconds // length, unit)
