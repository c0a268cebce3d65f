"""Applied records of attempted changes: the latest attempt, and the specification in use.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from connform.engine.changes.plan import Action, Change
from connform.engine.connection_report import ConnectionReport
from connform.engine.run.recorded_check import recorded_check
from connform.faults import Verdict
from connform.manifest.model import Connection
from connform.recorded import Actor, Applied, AppliedRecord, Attempt


def record_of_attempt(
    change: Change,
    connection: Connection,
    report: ConnectionReport,
    versions: Mapping[str, str],
    file: str,
    by: Actor,
) -> AppliedRecord:
    """Return the record of a connection that `apply` has checked.

    Args:
        change: the planned change.
        connection: the connection.
        report: the report of the check.
        versions: the versions of its secrets, by their key.
        file: its manifest, as `AppliedRecord.file`.
        by: who ran `apply`.
    """
    checked = recorded_check(connection, report, versions, by)
    attempt = Attempt(
        at=checked.at,
        by=by,
        action=str(Action.UPDATE if change.before else Action.CREATE),
        digest=change.after,
        base_url=report.base_url,
        auth_method=report.auth_method,
        verdict=checked.verdict,
        fault=checked.fault,
        stages=checked.stages,
        latency_ms=checked.latency_ms,
        certificate_expires_at=checked.certificate_expires_at,
        secrets=checked.secrets,
    )
    is_ready = report.verdict is Verdict.READY
    if is_ready or not change.before:
        return AppliedRecord(change.name, file, change.after if is_ready else "", change.spec, attempt)
    applied = change.applied
    if applied is None:  # an unchanged connection that only a live check found to differ
        return AppliedRecord(change.name, file, change.before, change.spec, attempt)
    return AppliedRecord(change.name, file, applied.summary.digest, applied.spec, attempt)


def record_of_failed_removal(applied: Applied, line: ConnectionReport, by: Actor) -> AppliedRecord:
    """Return the record of a connection that could not be removed; the next plan shows the failure.

    Args:
        applied: what was applied.
        line: the report line of the failed removal.
        by: who ran `apply`.
    """
    attempt = Attempt(
        at=datetime.now(UTC),
        by=by,
        action=str(Action.REMOVE),
        digest=applied.summary.digest,
        base_url=line.base_url,
        auth_method=line.auth_method,
        verdict=str(line.verdict),
        fault=line.fault,
    )
    return AppliedRecord(applied.connection, applied.summary.file, applied.summary.digest, applied.spec, attempt)
