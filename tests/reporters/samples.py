"""One set of reports that every format renders; the expected outputs lie in `expected/<format>/`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connform.diagnostics import CODES, Diagnostic, Edit, Related, Severity, SourceExcerpt, Span
from connform.engine.changes.destination import Destination, Send
from connform.engine.changes.secret_identity import SecretIdentity
from connform.engine.changes.specification import FieldChange
from connform.engine.connection_report import ConnectionReport, Remark, SecretReport, StageResult, Value
from connform.engine.report import Report
from connform.engine.report_parts import BackendReport, DoctorFinding, PlanSummary
from connform.errors import ConnectionFailed
from connform.faults import FAULTS, ExitCode, Stage, Verdict
from connform.grant import GrantFacts
from connform.recorded import Actor, AppliedRecord, Attempt, UsedSecret
from connform.recorded_checks import CheckHistory, HourlyFigures, RecordedCheck, VerdictChange

FILE = "connections.yaml"


def span(line: int, column: int, end_column: int) -> Span:
    return Span(FILE, line, column, line, end_column)


def diagnostic(code: str, place: Span, detail: str, snippet: SourceExcerpt | None = None, **more: object) -> Diagnostic:
    severity, summary = CODES[code]
    return Diagnostic(severity, code, summary, detail, place, snippet=snippet, **more)  # type: ignore[arg-type]  # whatever a sample is about


def stages(*results: StageResult) -> tuple[StageResult, ...]:
    """Fill up to all stages: those before are fine, those after are skipped."""
    given = {result.name: result for result in results}
    last = list(Stage).index(results[-1].name)
    return tuple(
        given.get(stage, StageResult(stage, "ok" if index < last else "skipped")) for index, stage in enumerate(Stage)
    )


UNKNOWN_REGION = diagnostic(
    "unknown-region",
    span(7, 13, 15),
    "the sandbox has the regions us and eu; there is no sandbox in Canada",
    SourceExcerpt("    region: CA", 12, 2),
    hint="did you mean `us`?",
    pointer="/connections/sandbox-ca/region",
    connection="sandbox-ca",
)
DUPLICATE = diagnostic(
    "duplicate-name",
    Span("more/deploy.yaml", 12, 3, 12, 13),
    "names are unique over all files of a run",
    SourceExcerpt("\tsandbox-us: {tags: [日本]}", 1, 10),
    related=(Related("first defined here", span(3, 3, 13)),),
)
WIDE = diagnostic(
    "unknown-key",
    span(104, 17, 21),
    "a connection has no such key",
    SourceExcerpt("  日本: {owner: é, tgas: ***}", 17, 4),
    hint="did you mean `tags`?",
)
LONG = diagnostic(
    "plaintext-secret",
    span(9, 16, 19),
    "only a reference may stand here, such as env://IINKED_SANDBOX_US_KEY: a secret in a manifest ends in version "
    "control, in logs and in backups; write the name of the place where it lies instead, and renew the key",
    SourceExcerpt("      api_key: ***", 15, 3),
)
NO_LINE = diagnostic("file-not-found", Span("missing.yaml", 1, 1, 1, 1), "no file of this name \x1b[31m exists")
UNUSED = diagnostic(
    "unused-template", span(2, 3, 9), "no connection extends it", SourceExcerpt("  portal:", 2, 6), hint="remove it"
)
MISSPELT = diagnostic(
    "unknown-key",
    Span("ordner/zwölf ü.yaml", 4, 5, 4, 11),
    "a connection has no such key",
    SourceExcerpt("    Region: us", 4, 6),
    hint="did you mean `region`?",
    connection="sandbox-us",
    fix=(Edit(Span("ordner/zwölf ü.yaml", 4, 5, 4, 11), "region"),),
)
OF_A_POLICY = Diagnostic(
    Severity.WARNING,
    "acme-owner",
    "every connection | has an `owner`",
    "a | `b` <script>alert(1)</script> @octocat #12 ::error::x%0Ay, 100 % [a](b) *c* ~~d~~\n::stop-commands::x\r\n\x1b[31m",
    span(5, 3, 9),
    snippet=SourceExcerpt("  portal: {owner: |}", 2, 6),
    hint="<b>ask</b> https://acme.example/?a=1&b=2",
    pointer="/connections/portal",
    connection="portal",
    related=(
        Related(
            "the policy | stands here", Span("policies/owner.yaml", 3, 3, 3, 9), SourceExcerpt("  acme-owner:", 2, 10)
        ),
    ),
)
ON_STDIN = diagnostic(
    "yaml-tab", Span("<stdin>", 2, 1, 2, 2), "indent with spaces", SourceExcerpt("\tregion: us", 0, 1)
)
LONG_LINE = diagnostic(
    "malformed-value",
    span(3, 203, 206),
    "the value has a wrong form",
    SourceExcerpt(f"  name: {'日' * 97}, {'a' * 95} bad {'b' * 300}", 203, 3),
)

READY = ConnectionReport(
    name="sandbox-us",
    provider="iinked-sign",
    environment="sandbox",
    region="us",
    base_url="https://sandbox.syngrafii.com/api/v1",
    auth_method="api_key",
    tags=("ci",),
    verdict=Verdict.READY,
    elapsed_s=0.012345,
    stages=(
        StageResult(Stage.CONFIG, "ok"),
        StageResult(Stage.SECRET, "ok", 0.0001),
        StageResult(Stage.DNS, "ok", 0.0003, {"addresses": ["127.0.0.1", "::1"]}),
        StageResult(Stage.TCP, "ok", 0.0002),
        StageResult(Stage.TLS, "ok", 0.004, {"tls_version": "TLSv1.3", "cert_expires_at": "2026-01-02T03:04:05+00:00"}),
        StageResult(Stage.HTTP, "ok", 0.007, {"http_status": 200}),
        StageResult(Stage.AUTH, "ok"),
        StageResult(Stage.LATENCY, "ok"),
    ),
    warnings=(Remark("certificate-ends-soon", "the certificate ends in 5 days"),),
    place=span(4, 3, 13),
)
REJECTED = ConnectionReport(
    name="customer-globex",
    provider="iinked-sign",
    environment="production",
    region="eu",
    base_url="https://sign.syngrafii.eu/api/v1",
    auth_method="oauth2",
    verdict=Verdict.FAILED,
    stage=Stage.AUTH,
    fault="auth_denied",
    message="the API answered 403 package_not_authorized",
    hint=FAULTS["auth_denied"].hint,
    elapsed_s=0.0304,
    stages=stages(StageResult(Stage.DNS, "ok", 0.0003), StageResult(Stage.AUTH, "failed")),
    exit_code=ExitCode.CREDENTIAL_REJECTED,
    place=span(11, 16, 40),
)
UNREACHABLE = ConnectionReport(
    name="acme-private",
    provider="iinked-sign",
    environment="private",
    region="",
    base_url="https://acme.syngrafii.com/api/v1",
    auth_method="api_key",
    verdict=Verdict.UNKNOWN,
    stage=Stage.TCP,
    fault="tcp_timeout",
    message="no answer from 192.0.2.7 port 443 within 5 s",
    hint=FAULTS["tcp_timeout"].hint,
    elapsed_s=5.0012,
    stages=stages(StageResult(Stage.TCP, "failed", 5.001)),
    exit_code=ExitCode.COULD_NOT_VERIFY,
    place=span(16, 3, 15),
)
SKIPPED = ConnectionReport("later", "http", "", "", "https://api.acme.example", "bearer", verdict=Verdict.SKIPPED)

DECLARED = tuple(
    ConnectionReport(
        each.name, each.provider, each.environment, each.region, each.base_url, each.auth_method, each.tags
    )
    for each in (READY, REJECTED, UNREACHABLE)
)
SHOWN = ConnectionReport(
    name="customer-globex",
    provider="iinked-sign",
    environment="production",
    region="eu",
    base_url="https://sign.syngrafii.eu/api/v1",
    auth_method="oauth2",
    place=span(9, 3, 18),
    details={
        "key_management_url": "https://sign.syngrafii.eu/integration",
        "authorize_url": "https://sign.syngrafii.eu/connect/authorize",
        "token_url": "https://sign.syngrafii.eu/connect/token",
    },
    values=(
        Value("/auth/client_secret", "corp-vault://iinked/portal#client_secret", "template portal", span(5, 22, 60)),
        Value("/auth/scopes", ["profile", "offline_access"], "template portal", span(6, 15, 40)),
        Value("/environment", "production", "connection", span(10, 18, 28)),
        Value("/owner", "platform@acme.example", "defaults", span(2, 10, 30)),
        Value("/timeouts/connect_s", 5.0, "default", None),
        Value("/proxy", None, "default", None),
    ),
)

ATTEMPT = Attempt(
    at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    by=Actor("deploy", "runner-7", "https://ci.acme.example/jobs/12"),
    action="create",
    digest=f"sha256:{'1' * 64}",
    base_url="https://sandbox.syngrafii.com/api/v1",
    auth_method="api_key",
    verdict="ready",
    stages=({"name": "config", "status": "ok", "elapsed_ms": 0.1}, {"name": "auth", "status": "ok", "elapsed_ms": 7.2}),
    latency_ms=7.2,
    certificate_expires_at="2027-01-02T03:04:05+00:00",
    secrets=(UsedSecret("api_key", "env://IINKED_SANDBOX_US_KEY", ""), UsedSecret("other", "vault://a/b", "7")),
)
FAILED = ATTEMPT._replace(
    at=datetime(2026, 3, 2, 12, 0, tzinfo=UTC), action="update", verdict="unknown", fault="tcp_timeout", latency_ms=None
)
SPECIFICATION = {
    "settings": {"region": "us", "auth": {"method": "api_key"}},
    "base_url": ATTEMPT.base_url,
    "stores": {},
}
RECORDED = DECLARED[0]._replace(
    record=AppliedRecord("sandbox-us", "deploy/connections.yaml", ATTEMPT.digest, SPECIFICATION, FAILED),
    history=(ATTEMPT._replace(latency_ms=2.0), ATTEMPT, FAILED),
)
CHECK = RecordedCheck(
    connection="sandbox-us",
    at=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
    by=Actor("connform", "monitor-1"),
    provider="iinked-sign",
    environment="sandbox",
    region="us",
    base_url=ATTEMPT.base_url,
    auth_method="api_key",
    tags=("ci",),
    verdict="ready",
    latency_ms=7.2,
    certificate_expires_at="2026-03-09T03:04:05+00:00",
    grant_ends_at="2026-04-01T00:00:00+00:00",
)
CHECKS = CheckHistory(
    CHECK,
    CHECK.at - timedelta(hours=20),
    {"ready": 700, "failed": 12, "unknown": 3},
    (
        VerdictChange(CHECK.at - timedelta(hours=22), "failed", "auth_denied"),
        VerdictChange(CHECK.at - timedelta(hours=20), "ready", ""),
    ),
    tuple(
        HourlyFigures(
            CHECK.at - timedelta(hours=hours),
            12,
            12 if hours == 21 else 0,
            int(hours % 7 == 0),
            None if hours == 21 else 5.0 + hours % 5,
            None if hours == 21 else 20.0 + hours % 9,
        )
        for hours in range(30, -1, -1)
    ),
)
CHECKED = RECORDED._replace(checks=CHECKS)
CHECKED_ONLY = DECLARED[1]._replace(
    checks=CHECKS._replace(
        latest=CHECK._replace(
            verdict="failed",
            fault="auth_denied",
            message="it said \x1b[31m ::error::x",
            hint="ask\nit",
            stages=ATTEMPT.stages,
            secrets=ATTEMPT.secrets,
            latency_ms=None,
        ),
        hours=(),
    )
)
SENDS = (
    Send("corp://acme#id", SecretIdentity("vault", "acme"), Destination("https://sandbox.syngrafii.com")),
    Send(
        "env://`LOGIN`",
        SecretIdentity("env", "`LOGIN`"),
        Destination("https://vault.acme.example", "store vault", ca_file="a|b ::error::x.pem"),
    ),
)
PLANNED = (
    DECLARED[0]._replace(action="create", sends=SENDS, place=span(4, 3, 13)),
    DECLARED[1]._replace(
        action="update",
        changes=(
            FieldChange("/owner", None, "a | `b` @octocat ::error::x"),
            FieldChange("/region", "us", "eu"),
            FieldChange("/tags", ["ci", "old"], None),
        ),
        reasons=("the last attempt failed: tcp_timeout",),
        place=span(11, 16, 40),
    ),
    DECLARED[2]._replace(action="remove"),
    SKIPPED._replace(action="none", verdict=None),
)
SUMMARY = PlanSummary(f"sha256:{'2' * 64}", ("it removes or changes 4 of 10 recorded connections, more than 30%",))

WITH_SECRETS = DECLARED[0]._replace(
    verdict=Verdict.READY,
    secrets=(
        SecretReport(
            "client_id",
            "corp://acme#id",
            "corp",
            "vault",
            span(9, 18, 32),
            "3",
            datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
        ),
        SecretReport("client_secret", "env://ACME_SECRET", "", "env", span(10, 18, 35)),
    ),
)
WITHOUT_ITS_SECRET = DECLARED[1]._replace(
    verdict=Verdict.FAILED,
    stage=Stage.SECRET,
    fault="secret_not_found",
    message="environment variable ACME_KEY is not set (env://ACME_KEY)",
    hint="export ACME_KEY=… before connform runs",
    exit_code=ExitCode.SECRET_UNRESOLVED,
    place=span(14, 16, 30),
    secrets=(
        SecretReport(
            "api_key",
            "env://ACME_KEY",
            "",
            "env",
            span(14, 16, 30),
            fault="secret_not_found",
            message="environment variable ACME_KEY is not set (env://ACME_KEY)",
            hint="export ACME_KEY=… before connform runs",
        ),
    ),
)
BACKENDS = (
    BackendReport("env", "env://NAME", "The environment of the process.", "connform", ""),
    BackendReport("letterbox", "letterbox://NAME", "A letterbox.", "acme-plugin", "pip install acme-plugin[post]"),
)

GRANT = GrantFacts(
    connection="acme",
    token_url="https://login.acme.example/token",
    client_id="portal\x1b[2K::error::|*",
    scopes=("profile", "offline_access"),
    obtained_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    expires_at=None,
    is_renewable=True,
    granted_at=datetime(2026, 2, 1, 12, 0, tzinfo=UTC),
)

FINDINGS = (
    DoctorFinding("connform", "version", "ok", "0.1.0 in /usr/lib/python3/site-packages/connform (from Git)"),
    DoctorFinding("manifest", FILE, "ok", "valid; connections: 3"),
    DoctorFinding("secrets", "env://", "ok", "1 of 3 are there"),
    *(
        DoctorFinding(
            "secrets",
            f"env://{name}",
            "problem",
            f"environment variable {name} is not set; needed by sandbox-us",
            "export it before connform runs",
            ExitCode.SECRET_UNRESOLVED,
        )
        for name in ("A_KEY", "ANOTHER_KEY")
    ),
    DoctorFinding("network", "clock", "note", "not compared: no server told its time\x1b[31m"),
)
BARE = DoctorFinding("manifest", "file", "note", "no manifest here", "`connform init` writes one")
LOGINS = (
    READY._replace(stages=(), login="granted", grant=GRANT._replace(account="jane@acme.example")),
    REJECTED._replace(stages=(), login="ended", grant=GRANT._replace(is_renewable=False)),
    UNREACHABLE._replace(stages=(), login="needed"),
)

SAMPLES = {
    "validate-clean": Report("validate", (FILE,), connection_count=7, policy_count=5),
    "validate-empty": Report("validate"),
    "validate-warning": Report("validate", (FILE,), (UNUSED,), connection_count=7),
    "validate-errors": Report(
        "validate",
        (FILE, "more/deploy.yaml"),
        (NO_LINE, UNUSED, UNKNOWN_REGION, LONG, WIDE, DUPLICATE),
        connection_count=9,
    ),
    "validate-hostile-words": Report(
        "validate", (FILE, "<stdin>"), (ON_STDIN, LONG_LINE, OF_A_POLICY, MISSPELT), connection_count=3
    ),
    "validate-many": Report(
        "validate",
        (FILE,),
        tuple(
            one._replace(span=span(line, 3, 9), snippet=None, connection=f"c-{line}")
            for one, lines in ((UNKNOWN_REGION, range(1, 26)), (UNUSED, range(26, 38)))
            for line in lines
        ),
        connection_count=40,
    ),
    "check-ready": Report("check", (FILE,), (), (READY,), 1, simulated=True, elapsed_s=0.05),
    "check-mixed": Report(
        "check", (FILE,), (UNUSED,), (READY, REJECTED, UNREACHABLE, SKIPPED), 4, simulated=False, elapsed_s=5.04
    ),
    "check-interrupted": Report(
        "check",
        (FILE,),
        (),
        (READY, SKIPPED._replace(message="not looked at: interrupted")),
        2,
        elapsed_s=5.04,
        interruption=ExitCode.INTERRUPTED,
    ),
    "check-recorded": Report(
        "check",
        (FILE,),
        (),
        (
            READY._replace(checks=CHECKS),
            REJECTED._replace(
                checks=CheckHistory(
                    CHECK._replace(verdict="failed", fault="auth_denied", latency_ms=None), CHECK.at, CHECKS.counts
                )
            ),
        ),
        2,
        elapsed_s=0.1,
    ),
    "check-invalid": Report("check", (FILE,), (UNKNOWN_REGION,), connection_count=1),
    "apply-rejected": Report("apply", (FILE,), (), (REJECTED,), 1, elapsed_s=0.1),
    "apply-in-part": Report(
        "apply",
        (FILE,),
        (),
        (READY._replace(action="create"), SKIPPED._replace(action="none")),
        2,
        elapsed_s=0.1,
        plan=SUMMARY._replace(refusals=()),
    ),
    "plan": Report("plan", (FILE,), (), PLANNED, 4, plan=SUMMARY),
    "plan-detailed": Report("plan", (FILE,), (), PLANNED, 4, plan=SUMMARY._replace(is_detailed=True)),
    "plan-invalid": Report("plan", (FILE,), (UNKNOWN_REGION,), connection_count=1),
    "plan-refreshed": Report(
        "plan",
        (FILE,),
        (),
        (PLANNED[1], UNREACHABLE._replace(action="none"), READY._replace(action="none")),
        3,
        plan=SUMMARY._replace(refusals=()),
    ),
    "plan-nothing": Report("plan", (FILE,), (), PLANNED[3:], 1, plan=SUMMARY._replace(refusals=())),
    "plan-renamed": Report(
        "plan",
        (FILE,),
        (),
        (PLANNED[1]._replace(action="move", moved_from="old", changes=()), PLANNED[2]._replace(revokes=GRANT)),
        2,
        plan=SUMMARY,
    ),
    "apply-renamed": Report(
        "apply",
        (FILE,),
        (),
        (
            READY._replace(action="move", moved_from="old"),
            PLANNED[1]._replace(action="move", moved_from="older", changes=(), verdict=Verdict.READY),
        ),
        2,
        plan=SUMMARY._replace(refusals=()),
    ),
    "state-list": Report("state list", (FILE,), (), (RECORDED._replace(history=()),), 1),
    "state-show": Report("state show", (FILE,), (), (RECORDED._replace(history=()),), 1),
    "state-history": Report("state history", (FILE,), (), (RECORDED,), 1),
    "check-unrecorded": Report(
        "check",
        (FILE,),
        (),
        (READY,),
        1,
        unrecorded=(ConnectionFailed("store_unwritable", "/srv/connform is read-only"),),
    ),
    "state-list-checked": Report("state list", (FILE,), (), (CHECKED, CHECKED_ONLY), 2),
    "state-show-checked": Report("state show", (FILE,), (), (CHECKED._replace(history=()), CHECKED_ONLY), 2),
    "state-history-checked": Report("state history", (FILE,), (), (CHECKED, CHECKED_ONLY), 2),
    "secrets-check": Report("secrets check", (FILE,), (), (WITH_SECRETS, WITHOUT_ITS_SECRET), 2, elapsed_s=0.2),
    "secrets-backends": Report("secrets backends", backends=BACKENDS),
    "doctor": Report("doctor", (FILE,), connection_count=3, elapsed_s=0.2, findings=FINDINGS),
    "doctor-bare": Report("doctor", elapsed_s=0.1, findings=(FINDINGS[0], BARE)),
    "list": Report("list", (FILE,), (), DECLARED, 3),
    "list-empty": Report("list", (FILE,)),
    "login": Report("login", (FILE,), (), LOGINS, 3),
    "login-none": Report("login", (FILE,)),
    "show": Report("show", (FILE,), (), (SHOWN,), 1),
}
"""Name → report."""
