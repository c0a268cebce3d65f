"""The result of a check in the form in which it is recorded: a report line, without what a later reader doesn't need.

Layer 3, no IO; reads the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from connform.engine.connection_report import ConnectionReport
from connform.faults import Stage
from connform.grant import GrantFacts
from connform.manifest.model import Connection
from connform.recorded import Actor, UsedSecret
from connform.recorded_checks import RecordedCheck


def recorded_check(
    connection: Connection, report: ConnectionReport, versions: Mapping[str, str], by: Actor
) -> RecordedCheck:
    """Return the record of a check that ended just now.

    Args:
        connection: the connection.
        report: its report line; its verdict isn't `skipped`.
        versions: the versions of its secrets, by their key.
        by: who made the check.
    """
    facts = {stage.name: stage for stage in report.stages if stage.status == "ok"}
    latency, tls = facts.get(Stage.LATENCY), facts.get(Stage.TLS)
    return RecordedCheck(
        connection=report.name,
        at=datetime.now(UTC),
        by=by,
        provider=report.provider,
        environment=report.environment,
        region=report.region,
        base_url=report.base_url,
        auth_method=report.auth_method,
        tags=report.tags,
        verdict=str(report.verdict),
        stage=str(report.stage or ""),
        fault=report.fault,
        message=report.message,
        hint=report.hint,
        stages=tuple(
            {"name": str(stage.name), "status": stage.status, "elapsed_ms": round(stage.elapsed_s * 1000, 1)}
            for stage in report.stages
        ),
        latency_ms=round(latency.elapsed_s * 1000, 1) if latency else None,
        certificate_expires_at=str(tls.facts.get("cert_expires_at", "")) if tls else "",
        grant_ends_at=_end_of(report.grant) if report.grant else "",
        secrets=tuple(UsedSecret(key, str(text), versions.get(key, "")) for key, text in connection.references.items()),
    )


def _end_of(grant: GrantFacts) -> str:
    """Return when a grant ends unless its customer renews it, ISO 8601; empty if its server doesn't say."""
    ends_at = grant.refresh_ends_at if grant.is_renewable else grant.expires_at
    return ends_at.isoformat(timespec="seconds") if ends_at else ""
