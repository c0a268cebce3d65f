"""The report that verbs return, as named tuples; reporters render it as text.

Layer 3, no IO.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.faults import ExitCode, Stage, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connform.diagnostics import Diagnostic, Severity, Span
    from connform.engine.changes.origins import Send
    from connform.engine.changes.specification import FieldChange
    from connform.grant import GrantFacts
    from connform.recorded import AppliedRecord, Attempt, Brief


class StageResult(NamedTuple):
    """One stage of one check."""

    name: Stage
    """Which."""
    status: str
    """`ok`, `failed` or `skipped`; `skipped` is never `ok`."""
    elapsed_s: float = 0.0
    """How long it took."""
    facts: Mapping[str, Any] = MappingProxyType({})
    """JSON-ready facts: `addresses`, `tls_version`, `cert_expires_at`, `http_status`, …"""


class Remark(NamedTuple):
    """What a person should know of a connection although nothing failed."""

    code: str
    """`certificate-ends-soon`, `scopes-not-granted`, `grant-not-revoked`."""
    text: str
    """What it is, and what to do."""


class ConnectionReport(NamedTuple):
    """What is known of one connection. Fields that a verb doesn't fill are empty."""

    name: str
    """Its name."""
    provider: str
    """Its provider."""
    environment: str
    """Its environment, or empty."""
    region: str
    """Its region, or empty."""
    base_url: str
    """Resolved API root."""
    auth_method: str
    """`api_key`, `oauth2`, `bearer`."""
    tags: tuple[str, ...] = ()
    """Its tags."""
    verdict: Verdict | None = None
    """What a check said; `None` for verbs that don't check."""
    stage: Stage | None = None
    """The stage that failed, or `None`."""
    fault: str = ""
    """The class of the failure (`class` in JSON), or empty."""
    message: str = ""
    """What happened."""
    hint: str = ""
    """What to do."""
    elapsed_s: float = 0.0
    """The whole check."""
    stages: tuple[StageResult, ...] = ()
    """Every stage in order."""
    warnings: tuple[Remark, ...] = ()
    """What a person should know although nothing failed."""
    exit_code: ExitCode = ExitCode.OK
    """The exit code that this connection alone would give."""
    place: Span | None = None
    """Where the manifest declares what failed (the reference, the name), or its name."""
    details: Mapping[str, Any] = MappingProxyType({})
    """`show`: `key_management_url`, `authorize_url`, `token_url`, …; JSON-ready."""
    values: tuple[Value, ...] = ()
    """`show`: every effective value."""
    action: str = ""
    """`plan` and `apply`: `create`, `update`, `remove` or `none`."""
    changes: tuple[FieldChange, ...] = ()
    """`plan` and `apply`: the values that differ."""
    reasons: tuple[str, ...] = ()
    """`plan` and `apply`: why, beyond the values that differ."""
    sends: tuple[Send, ...] = ()
    """`plan` and `apply`: what is sent where when it is carried out."""
    moved_from: str = ""
    """`plan` and `apply`: the name under which it was recorded, or empty."""
    revokes: GrantFacts | None = None
    """`plan` and `apply`: the living grant that ends with what is to be done."""
    record: AppliedRecord | None = None
    """`state`: what is recorded."""
    history: tuple[Attempt, ...] = ()
    """`state history`: the attempts that are remembered, the oldest first."""
    secrets: tuple[SecretReport, ...] = ()
    """`secrets check`: where each secret lies, and what came of reading it."""


class SecretReport(NamedTuple):
    """One secret of one connection: where it lies, never what it is."""

    key: str
    """The key under `auth:`."""
    reference: str
    """Where it lies."""
    store: str
    """The store that the reference names, or empty for a bare backend."""
    backend: str
    """The backend's scheme."""
    place: Span | None
    """Where the manifest says it."""
    version: str = ""
    """The version that was read, or empty."""
    since: datetime | None = None
    """When that version was written, aware UTC; `None` where the backend doesn't say."""
    fault: str = ""
    """The class of the failure, or empty."""
    message: str = ""
    """What happened."""
    hint: str = ""
    """What to do."""


class BackendReport(NamedTuple):
    """One secret backend."""

    scheme: str
    """Of its references, and the type of its stores."""
    form: str
    """How a reference looks."""
    description: str
    """What a store of this type is."""
    package: str
    """Which package brings it."""
    missing: str
    """How to install what is missing here, or empty."""


class Value(NamedTuple):
    """One effective value of a connection and where it comes from."""

    pointer: str
    """RFC 6901 pointer: `/auth/api_key`."""
    value: Any
    """JSON-ready scalar or list; references as text, never a secret."""
    origin: str
    """`connection`, `template portal`, `defaults`, or `default` for connform's own."""
    place: Span | None
    """Where it stands; `None` for connform's own defaults."""


class PlanSummary(NamedTuple):
    """What is to be said of a plan as a whole."""

    digest: str
    """For `apply --expect-digest`."""
    refusals: tuple[str, ...]
    """Why `apply` would want `--force`."""
    is_detailed: bool = False
    """Whether changes give the exit code 2."""


class Report(NamedTuple):
    """What a verb found."""

    command: str
    """The verb."""
    files: tuple[str, ...] = ()
    """The manifests that were read."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Sorted by place."""
    connections: tuple[ConnectionReport, ...] = ()
    """In the order of the manifest."""
    connection_count: int = 0
    """How many connections were looked at (`validate` lists none, but counts them)."""
    policy_count: int = 0
    """How many policies judged them."""
    simulated: bool = False
    """Whether the simulator answered."""
    elapsed_s: float = 0.0
    """The whole run."""
    plan: PlanSummary | None = None
    """`plan` and `apply`: what binds them together."""
    briefs: tuple[Brief, ...] = ()
    """`state list`: what it shows, where no more than that was read."""
    backends: tuple[BackendReport, ...] = ()
    """`secrets backends`: all of them."""

    @property
    def exit_code(self) -> ExitCode:
        """0 when all is well, the one code where all failures are of one kind, else 1."""
        codes = {connection.exit_code for connection in self.connections} - {ExitCode.OK}
        if self.number_of("error"):
            codes.add(ExitCode.INVALID)
        if not codes:
            has_changes = any(connection.action not in {"", "none"} for connection in self.connections)
            return ExitCode.CHANGES if self.plan and self.plan.is_detailed and has_changes else ExitCode.OK
        return codes.pop() if len(codes) == 1 else ExitCode.INVALID

    def number_of(self, severity: Severity | str) -> int:
        """Return how many mistakes have a severity, those included that are only counted."""
        return sum(diagnostic.number for diagnostic in self.diagnostics if diagnostic.severity == severity)
