"""The section `manifest` of `doctor`: which files were found, and whether they are valid. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Iterator

from connform.diagnostics import Severity
from connform.engine.doctor.finding import good, note, problem
from connform.engine.doctor.situation import Situation
from connform.engine.report_parts import DoctorFinding
from connform.faults import ExitCode


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield one finding; the mistakes themselves are for `validate`."""
    if not situation.has_manifest:
        yield note("file", "no manifest here", "`connform init` writes one; `-f` names one that lies elsewhere")
        return
    report = situation.validated
    names = ", ".join(report.files[:3]) + (f" and {len(report.files) - 3} others" if len(report.files) > 3 else "")  # noqa: PLR2004
    errors, warnings = report.number_of(Severity.ERROR), report.number_of(Severity.WARNING)
    name = names or "file"
    if situation.manifest is None:
        hint = "`connform validate` shows them; what needs a valid manifest was not looked at"
        yield problem(name, f"errors: {errors}", hint, exit_code=ExitCode.INVALID)
    elif warnings:
        yield note(
            name, f"connections: {report.connection_count}, warnings: {warnings}", "`connform validate` shows them"
        )
    else:
        yield good(name, f"valid; connections: {report.connection_count}")
