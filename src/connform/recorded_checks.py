"""Recorded checks: what `check --record` and `monitor` keep of each connection, beside its applied record; no secret and no hash of one.

Layer 0, no IO: `engine/` makes them, `database/` stores them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from connform.recorded import Actor, StateRow, UsedSecret, time_and_actor


class RecordedCheck(NamedTuple):
    """One check of one connection, and its result."""

    connection: str
    """Its name."""
    at: datetime
    """When it ended, aware UTC."""
    by: Actor
    """Who made it."""
    provider: str
    """Its provider."""
    environment: str
    """Its environment, or empty."""
    region: str
    """Its region, or empty."""
    base_url: str
    """The API root."""
    auth_method: str
    """`api_key`, `oauth2`, …"""
    tags: tuple[str, ...]
    """Its tags."""
    verdict: str
    """`ready`, `failed` or `unknown`."""
    stage: str = ""
    """The stage that failed, or empty."""
    fault: str = ""
    """The fault, or empty."""
    message: str = ""
    """What happened, or empty."""
    hint: str = ""
    """What to do, or empty."""
    stages: tuple[Mapping[str, Any], ...] = ()
    """The stages, each with `name`, `status` and `elapsed_ms`."""
    latency_ms: float | None = None
    """Time of the check request until the end of its answer; `None` where there was no answer."""
    certificate_expires_at: str = ""
    """When the server's certificate expires, ISO 8601; or empty."""
    grant_ends_at: str = ""
    """When the customer's grant ends unless it is renewed, ISO 8601; or empty."""
    secrets: tuple[UsedSecret, ...] = ()
    """The secrets that it used."""

    @property
    def row(self) -> StateRow:
        """The row that a list shows."""
        result = self.verdict, self.fault, self.latency_ms, self.certificate_expires_at
        return self.connection, *result, *time_and_actor(self.at, self.by)


class VerdictChange(NamedTuple):
    """A check whose verdict or fault differed from that of the check before it."""

    at: datetime
    """When that check ended, aware UTC."""
    verdict: str
    """Its verdict."""
    fault: str
    """Its fault, or empty."""


class HourlyFigures(NamedTuple):
    """What the checks of one connection in one hour found."""

    hour: datetime
    """The beginning of the hour, aware UTC."""
    checks: int
    """How many checks."""
    failed: int
    """How many of them had the verdict `failed`."""
    unknown: int
    """How many of them had the verdict `unknown`."""
    median_ms: float | None
    """The median of their latencies in milliseconds; `None` where no check was answered."""
    worst_ms: float | None
    """The longest of their latencies, as above."""


class CheckHistory(NamedTuple):
    """What is recorded of the checks of one connection."""

    latest: RecordedCheck
    """The latest check."""
    since: datetime
    """Since when all checks had this verdict, aware UTC."""
    counts: Mapping[str, int]
    """How many checks ever had which verdict: `ready`, `failed`, `unknown`."""
    changes: tuple[VerdictChange, ...] = ()
    """The changes of verdict, the oldest first; as long as they are kept."""
    hours: tuple[HourlyFigures, ...] = ()
    """The hourly figures, the oldest first; as long as they are kept."""
