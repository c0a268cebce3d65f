"""Drift: the differences between the live check of a connection and its applied record (`plan --refresh`).

Layer 3, no IO: `engine/plan.py` runs the check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from connform.engine.changes.plan import Change
from connform.engine.connection_report import ConnectionReport
from connform.engine.run.live_check import CERTIFICATE_WARNING
from connform.faults import FAULTS, Stage, Verdict
from connform.recorded import AppliedRecord


def compare_with_live(
    change: Change, record: AppliedRecord | None, report: ConnectionReport, versions: Mapping[str, str]
) -> Change:
    """Return a change with the drift of its connection in `live`; without drift, with the report in `live_report`.

    Args:
        change: the change of a connection whose declaration equals what was applied.
        record: its record; `None` if it was deleted meanwhile.
        report: the report of the live check.
        versions: the present versions of its secrets, by their key.
    """
    live = list(_rotated_secrets(record, versions)) if record else []
    if _is_from_server(report):
        live += [f"{report.fault}: {report.message}"] if report.fault else []
        live += _changed_certificate(record, report) if record else ()
    return change._replace(live=tuple(live), live_report=None if live else report)


def _is_from_server(report: ConnectionReport) -> bool:
    """Whether the check has a result from the server. Faults of this machine and temporary faults are none."""
    if not report.fault:
        return True
    fault = FAULTS[report.fault]
    return fault.verdict is Verdict.FAILED and fault.stage not in {Stage.CONFIG, Stage.SECRET}


def _rotated_secrets(record: AppliedRecord, versions: Mapping[str, str]) -> Iterator[str]:
    for used in record.latest.secrets:
        now = versions.get(used.key, "")
        if used.version and now and used.version != now:
            yield f"the secret {used.reference} was rotated: its version is {now}, and was {used.version}"


def _changed_certificate(record: AppliedRecord, report: ConnectionReport) -> Iterator[str]:
    """Yield that the certificate changed, if the old or the new one expires soon; other renewals are normal."""
    before = record.latest.certificate_expires_at
    now = next((str(stage.facts.get("cert_expires_at", "")) for stage in report.stages if stage.name is Stage.TLS), "")
    if before and now and before != now and (_expires_soon(before) or _expires_soon(now)):
        yield f"the server's certificate is another: it ends at {now}, the recorded one at {before}"


def _expires_soon(expires_at: str) -> bool:
    return datetime.fromisoformat(expires_at) - datetime.now(UTC) < CERTIFICATE_WARNING
