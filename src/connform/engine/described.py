"""Turns a record into a line of a report.

Layer 3, no IO. Apart from what plans: looking at records needs neither providers nor manifests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.engine.report import ConnectionReport

if TYPE_CHECKING:
    from connform.recorded import Attempt, Record


def described_record(record: Record, history: tuple[Attempt, ...] = ()) -> ConnectionReport:
    """Return a record with its history as a line of a report."""
    settings = record.spec["settings"]
    return ConnectionReport(
        name=record.connection,
        provider=settings.get("provider", ""),
        environment=settings.get("environment", ""),
        region=settings.get("region", ""),
        base_url=record.spec["base_url"],
        auth_method=settings["auth"]["method"],
        tags=tuple(settings.get("tags", ())),
        record=record,
        history=history,
    )
