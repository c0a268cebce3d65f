"""The report line of an applied record.

Layer 3, no IO. A module of its own, because reading records needs neither providers nor manifests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.engine.report import ConnectionReport
from connform.recorded import AppliedRecord, Attempt


def describe_record(record: AppliedRecord, history: tuple[Attempt, ...] = ()) -> ConnectionReport:
    """Return the report line of a record and its history."""
    return describe_specification(record.connection, record.spec)._replace(record=record, history=history)


def describe_specification(name: str, spec: Mapping[str, Any]) -> ConnectionReport:
    """Return the report line of a connection from its recorded specification."""
    settings = spec["settings"]
    return ConnectionReport(
        name=name,
        provider=settings.get("provider", ""),
        environment=settings.get("environment", ""),
        region=settings.get("region", ""),
        base_url=spec["base_url"],
        auth_method=settings["auth"]["method"],
        tags=tuple(settings.get("tags", ())),
    )
