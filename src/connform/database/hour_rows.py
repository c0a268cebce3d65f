"""Hourly figures of the checks of a connection: how a check is added to them, and what they are; the same in every database.

Layer 2, no IO.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from connform.recorded_checks import HourlyFigures, RecordedCheck

HOUR_COLUMNS = ("connection", "hour", "checks", "failed", "unknown", "answered", "latencies", "worst_ms")
MAX_LATENCIES = 60
"""The most latencies that are stored of an hour. Up to as many answers its median is exact; of more, every second is left out, and so on."""
_HOUR_S = 3600


class HourRow(NamedTuple):
    """The checks of one connection in one hour, as they are stored."""

    connection: str
    """Its name."""
    hour: int
    """The hour, in hours since 1970, UTC."""
    checks: int = 0
    """How many checks."""
    failed: int = 0
    """How many of them had the verdict `failed`."""
    unknown: int = 0
    """How many of them had the verdict `unknown`."""
    answered: int = 0
    """How many of them have a latency."""
    latencies: str = "[]"
    """Latencies in milliseconds, a JSON list in the order of the checks: of each, or of every 2nd, 4th, 8th, …"""
    worst_ms: float | None = None
    """The longest latency."""


def hour_of(when: datetime) -> int:
    """Return the hour of a time, in hours since 1970."""
    return int(when.timestamp() // _HOUR_S)


def with_check(row: HourRow, check: RecordedCheck) -> HourRow:
    """Return the row of an hour with one more check."""
    row = row._replace(
        checks=row.checks + 1,
        failed=row.failed + (check.verdict == "failed"),
        unknown=row.unknown + (check.verdict == "unknown"),
    )
    if check.latency_ms is None:
        return row
    latencies, answered = json.loads(row.latencies), row.answered + 1
    step = _step(answered)
    if step > _step(row.answered):
        latencies = latencies[::2]
    if row.answered % step == 0:
        latencies.append(round(check.latency_ms, 1))
    return row._replace(
        answered=answered,
        latencies=json.dumps(latencies, separators=(",", ":")),
        worst_ms=max(check.latency_ms, row.worst_ms or 0.0),
    )


def figures_of(row: HourRow) -> HourlyFigures:
    """Return the figures of a row.

    Raises:
        ValueError, TypeError, OverflowError: the row has been changed by somebody else.
    """
    hour = datetime.fromtimestamp(row.hour * _HOUR_S, UTC)
    return HourlyFigures(hour, row.checks, row.failed, row.unknown, _median(json.loads(row.latencies)), row.worst_ms)


def _step(answered: int) -> int:
    """Return every how many answers one latency is stored."""
    step = 1
    while answered > MAX_LATENCIES * step:
        step *= 2
    return step


def _median(latencies: list[float]) -> float | None:
    """Return the median; the module `statistics` would import much more than it takes."""
    ordered, middle = sorted(latencies), len(latencies) // 2
    if not ordered:
        return None
    return ordered[middle] if len(ordered) % 2 else round((ordered[middle - 1] + ordered[middle]) / 2, 2)
