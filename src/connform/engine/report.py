"""The report that verbs return, a named tuple; reporters render it as text. `connection_report.py` has that of a connection.

Layer 3, no IO.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from connform.diagnostics import Diagnostic, Severity, exit_code_of
from connform.faults import ExitCode

if TYPE_CHECKING:
    from connform.engine.connection_report import ConnectionReport
    from connform.engine.report_parts import BackendReport, DoctorFinding, PlanSummary
    from connform.errors import ConnectionFailed
    from connform.recorded import ListRow


_SHOWN = 5
"""How many names of failed connections `repr` shows."""


class Report(NamedTuple):
    """The report of one run of a verb."""

    command: str
    """The verb."""
    files: tuple[str, ...] = ()
    """The manifests that were read."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Errors and warnings, sorted by their place."""
    connections: tuple["ConnectionReport", ...] = ()
    """In the order of the manifest."""
    connection_count: int = 0
    """The number of connections; `validate` counts them and lists none."""
    policy_count: int = 0
    """The number of policies that were evaluated."""
    simulated: bool = False
    """Whether the run used the simulator."""
    elapsed_s: float = 0.0
    """Duration of the whole run."""
    plan: "PlanSummary | None" = None
    """`plan` and `apply`: facts about the whole plan."""
    briefs: tuple["ListRow", ...] = ()
    """`state list` as text: one row for each connection; `connections` is empty then."""
    backends: tuple["BackendReport", ...] = ()
    """`secrets backends`: all of them."""
    findings: tuple["DoctorFinding", ...] = ()
    """`doctor`: all that it looked at, by section."""
    note: str = ""
    """A sentence for people, which is no part of any format; or empty."""
    unrecorded: tuple["ConnectionFailed", ...] = ()
    """Why results of checks could not be recorded, one for each state database."""
    interruption: ExitCode | None = None
    """The exit code of a run that was interrupted; `None` if it ended by itself. What it had not looked at is `skipped`."""

    @property
    def exit_code(self) -> ExitCode:
        """The one code that all failures have, otherwise 1. Without failures 0, or 2 for changes if `plan.is_detailed`.

        After an interruption it is `interruption`, whatever failed.
        """
        if self.interruption:
            return self.interruption
        codes = {one.exit_code for one in self.connections} | {one.exit_code for one in self.findings}
        codes |= {one.exit_code for one in self.unrecorded} | {exit_code_of(self.diagnostics)}
        codes -= {ExitCode.OK}
        if not codes:
            has_changes = any(connection.action not in {"", "none"} for connection in self.connections)
            has_changes = has_changes or bool(self.plan and self.plan.changes)
            return ExitCode.CHANGES if self.plan and self.plan.is_detailed and has_changes else ExitCode.OK
        return codes.pop() if len(codes) == 1 else ExitCode.INVALID

    def number_of(self, severity: Severity | str) -> int:
        """Return the number of mistakes with a severity. One diagnostic may stand for several."""
        return sum(diagnostic.number for diagnostic in self.diagnostics if diagnostic.severity == severity)

    def __repr__(self) -> str:
        names: dict[str, list[str]] = {}
        for one in self.connections:
            names.setdefault(one.verdict or one.action, []).append(one.name if one.exit_code else "")
        counts = [f"{len(of)} {result}{_in_brackets([*filter(None, of)])}" for result, of in names.items() if result]
        counts += [f"{n} {severity}{'s' * (n > 1)}" for severity in Severity if (n := self.number_of(severity))]
        found = ", ".join([f"{self.connection_count} connection{'s' * (self.connection_count != 1)}", *counts])
        return f"<Report {self.command}: {found}, exit code {self.exit_code}>"


def _in_brackets(failed: Sequence[str]) -> str:
    """Return the names of connections that failed, for `repr`."""
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return f" ({', '.join(failed[:_SHOWN])}{more})" if failed else ""
