"""The clock of this machine, compared with the `Date` (RFC 9110 §6.6.1) of servers. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connform.engine.doctor.finding import good, note, problem
from connform.engine.report_parts import DoctorFinding
from connform.faults import ExitCode

_MOST = timedelta(minutes=1)
"""A larger difference makes servers refuse JWTs, and this machine certificates."""


def difference(now: datetime, date: str) -> timedelta | None:
    """Return how far `now` is ahead of the time in a header; `None` where the header has none."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return now - (told if told.tzinfo else told.replace(tzinfo=UTC))


def clock_finding(differences: Sequence[timedelta]) -> DoctorFinding:
    """Return the finding for the differences from several servers: the smallest counts, since a server's clock may be wrong."""
    if not differences:
        return note("clock", "not compared: no server told its time")
    smallest = min(differences, key=abs)
    seconds = abs(smallest.total_seconds())
    if abs(smallest) <= _MOST:
        return good("clock", f"agrees with the servers to {max(round(seconds), 1)} s")
    direction = "ahead of" if smallest > timedelta() else "behind"
    message = f"{seconds:.0f} s {direction} the servers: JWTs and certificates are refused"
    hint = "set the clock of this machine, or let it be set (NTP)"
    return problem("clock", message, hint, exit_code=ExitCode.COULD_NOT_VERIFY)
