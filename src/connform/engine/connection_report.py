"""The report of one connection, as named tuples; reporters render it as text.

Layer 3, no IO.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.diagnostics import Span
from connform.faults import ExitCode, Stage, Verdict

if TYPE_CHECKING:
    from connform.engine.changes.destination import Send
    from connform.engine.changes.specification import FieldChange
    from connform.grant import GrantFacts
    from connform.recorded import AppliedRecord, Attempt
    from connform.recorded_checks import CheckHistory


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
    values: tuple[Value, ...] = ()
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
    revokes: "GrantFacts | None" = None
    """`plan` and `apply`: the working grant that `apply` revokes and deletes."""
    login: str = ""
    """`login`: `granted`; `needed`, without a grant of this app; `ended`, by the server; `expired`, without a refresh token."""
    grant: "GrantFacts | None" = None
    """The stored grant: of `login`, and of a check that used it."""
    record: "AppliedRecord | None" = None
    """`state`: the applied record."""
    history: tuple["Attempt", ...] = ()
    """`state history`: the recorded attempts, the oldest first."""
    checks: "CheckHistory | None" = None
    """`state` and a check that is recorded: what is recorded of its checks."""
    secrets: tuple[SecretReport, ...] = ()
    """`secrets check`: where each secret is stored, and whether it could be read."""

    def __repr__(self) -> str:
        result = " ".join(filter(None, [self.action, self.verdict, self.fault]))
        why = f" {self.message!r}" if self.fault else ""  # quoted: a control character in it shows as its escape
        return f"<ConnectionReport {self.name} {result}{why}>"
