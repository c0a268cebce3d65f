"""The report line of an applied record and of recorded checks.

Layer 3, no IO. A module of its own, because reading records needs neither providers nor manifests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connform.engine.connection_report import ConnectionReport

if TYPE_CHECKING:
    from connform.recorded import AppliedRecord, Attempt
    from connform.recorded_checks import CheckHistory


def describe_recorded(
    record: AppliedRecord | None, history: tuple[Attempt, ...], checks: CheckHistory | None
) -> ConnectionReport:
    """Return the report line of a record and its history, and of checks; `None` for a connection that was not applied, or not checked."""
    if record is not None:
        return describe_specification(record.connection, record.spec)._replace(
            record=record, history=history, checks=checks
        )
    assert checks is not None  # noqa: S101  (something is recorded)
    latest = checks.latest
    return ConnectionReport(
        name=latest.connection,
        provider=latest.provider,
        environment=latest.environment,
        region=latest.region,
        base_url=latest.base_url,
        auth_method=latest.auth_method,
        tags=latest.tags,
        checks=checks,
    )


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
