"""The report that verbs return, as named tuples; reporters render it as text.

Layer 3, no IO.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.diagnostics import Diagnostic, Severity, Span, exit_code_of
from connform.faults import ExitCode, Stage, Verdict
from connform.grant import GrantFacts

if TYPE_CHECKING:
    from connform.engine.changes.origins import Send
    from connform.engine.changes.specification import FieldChange
    from connform.errors import ConnectionFailed
    from connform.recorded import AppliedRecord, Attempt, ListRow
    from connform.recorded_checks import CheckHistory


_SHOWN = 5
"""How many names of failed connections `repr` shows."""


class StageResult(NamedTuple):
    """One stage of one check."""

    name: Stage
    """The name of the stage."""
    status: str
    """`ok`, `failed` or `skipped`. A stage that was not reached is `skipped`."""
    elapsed_s: float = 0.0
    """How long it took."""
    facts: Mapping[str, Any] = {}
    """Facts that JSON can hold: `addresses`, `tls_version`, `cert_expires_at`, `http_status`, …"""


class Remark(NamedTuple):
    """A warning about a connection that did not fail."""

    code: str
    """`certificate-ends-soon`, `scopes-not-granted`, `grant-not-revoked`."""
    text: str
    """What was found, and what to do."""


class ConnectionReport(NamedTuple):
    """The report of one connection. Fields that a verb doesn't fill are empty."""

    name: str
    """Its name."""
    provider: str
    """Its provider."""
    environment: str
    """Its environment, or empty."""
    region: str
    """Its region, or empty."""
    base_url: str
    """The resolved API root."""
    auth_method: str
    """`api_key`, `oauth2`, `bearer`."""
    tags: tuple[str, ...] = ()
    """Its tags."""
    verdict: Verdict | None = None
    """The result of the check; `None` for verbs that don't check."""
    stage: Stage | None = None
    """The stage that failed, or `None`."""
    fault: str = ""
    """The name of the fault (`class` in JSON), or empty."""
    message: str = ""
    """What happened."""
    hint: str = ""
    """What to do."""
    elapsed_s: float = 0.0
    """Duration of the whole check."""
    stages: tuple[StageResult, ...] = ()
    """Every stage in order."""
    warnings: tuple[Remark, ...] = ()
    """What a person should know even if the connection did not fail."""
    exit_code: ExitCode = ExitCode.OK
    """The exit code of a run with this connection alone."""
    place: Span | None = None
    """The place in the manifest: of the secret reference that failed, otherwise of the name of the connection."""
    details: Mapping[str, Any] = {}
    """`show`: `key_management_url`, `authorize_url`, `token_url`, …; values that JSON can hold."""
    values: tuple["Value", ...] = ()
    """`show`: every effective value."""
    action: str = ""
    """`plan` and `apply`: `create`, `update`, `remove` or `none`."""
    changes: tuple["FieldChange", ...] = ()
    """`plan` and `apply`: the values that differ."""
    reasons: tuple[str, ...] = ()
    """`plan` and `apply`: reasons for the action other than changed values."""
    sends: tuple["Send", ...] = ()
    """`plan` and `apply`: which secrets `apply` sends to which destinations."""
    moved_from: str = ""
    """`plan` and `apply`: the name under which it was recorded, or empty."""
    revokes: GrantFacts | None = None
    """`plan` and `apply`: the working grant that `apply` revokes and deletes."""
    login: str = ""
    """`login`: `granted`; `needed`, without a grant of this app; `ended`, by the server; `expired`, without a refresh token."""
    grant: GrantFacts | None = None
    """The stored grant: of `login`, and of a check that used it."""
    record: "AppliedRecord | None" = None
    """`state`: the applied record."""
    history: tuple["Attempt", ...] = ()
    """`state history`: the recorded attempts, the oldest first."""
    checks: "CheckHistory | None" = None
    """`state` and a check that is recorded: what is recorded of its checks."""
    secrets: tuple["SecretReport", ...] = ()
    """`secrets check`: where each secret is stored, and whether it could be read."""

    def __repr__(self) -> str:
        result = " ".join(filter(None, [self.action, self.verdict, self.fault]))
        why = f" {self.message!r}" if self.fault else ""  # quoted: a control character in it shows as its escape
        return f"<ConnectionReport {self.name} {result}{why}>"


class SecretReport(NamedTuple):
    """One secret of one connection: where it is stored, never its value."""

    key: str
    """The key under `auth:`, or `proxy.password`."""
    reference: str
    """The secret reference."""
    store: str
    """The declared store that the reference names; empty if it names a backend."""
    backend: str
    """The backend's scheme."""
    place: Span | None
    """The place of the reference in the manifest."""
    version: str = ""
    """The version that was read; empty if unknown."""
    since: datetime | None = None
    """When that version was written, aware UTC; `None` if unknown."""
    fault: str = ""
    """The name of the fault, or empty."""
    message: str = ""
    """What happened."""
    hint: str = ""
    """What to do."""


class BackendReport(NamedTuple):
    """One secret backend."""

    scheme: str
    """The scheme of its references, and the `type` of its stores."""
    form: str
    """The form of its references."""
    description: str
    """What a store of this type is."""
    package: str
    """The package that contains it."""
    missing: str
    """How to install a missing library or program; empty if none is missing."""


class DoctorFinding(NamedTuple):
    """One thing that `doctor` looked at."""

    section: str
    """What it belongs to: `secrets`, `network`, …"""
    name: str
    """What was looked at."""
    status: str
    """`ok`; `note`, which doesn't keep this manifest from working here; or `problem`, which does."""
    message: str
    """What was found."""
    hint: str = ""
    """What to do, or empty."""
    exit_code: ExitCode = ExitCode.OK
    """The exit code of a run with this problem alone."""


class Value(NamedTuple):
    """One effective value of a connection and where it comes from."""

    pointer: str
    """RFC 6901 pointer: `/auth/api_key`."""
    value: Any
    """A scalar or list that JSON can hold; references as text, never a secret."""
    origin: str
    """Where it comes from: `connection`, `template portal`, `defaults`, or `default` (connform's own)."""
    place: Span | None
    """Its place in the manifest; `None` for connform's own defaults."""


class PlanSummary(NamedTuple):
    """Facts about a whole plan."""

    digest: str
    """The digest of the plan, for `apply --expect-digest`."""
    refusals: tuple[str, ...]
    """The safety rules that refuse the plan unless `--force` is given."""
    is_detailed: bool = False
    """Whether changes give exit code 2 (`--detailed-exitcode`)."""


class Report(NamedTuple):
    """The report of one run of a verb."""

    command: str
    """The verb."""
    files: tuple[str, ...] = ()
    """The manifests that were read."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Errors and warnings, sorted by their place."""
    connections: tuple[ConnectionReport, ...] = ()
    """In the order of the manifest."""
    connection_count: int = 0
    """The number of connections; `validate` counts them and lists none."""
    policy_count: int = 0
    """The number of policies that were evaluated."""
    simulated: bool = False
    """Whether the run used the simulator."""
    elapsed_s: float = 0.0
    """Duration of the whole run."""
    plan: PlanSummary | None = None
    """`plan` and `apply`: facts about the whole plan."""
    briefs: tuple["ListRow", ...] = ()
    """`state list` as text: one row for each connection; `connections` is empty then."""
    backends: tuple[BackendReport, ...] = ()
    """`secrets backends`: all of them."""
    findings: tuple[DoctorFinding, ...] = ()
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
