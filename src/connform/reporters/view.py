"""`build`: the JSON object of a report, from which every format is rendered. Layer 4, no IO.

Absent text is `""`, an absent list `[]`, an absent number or object `null`. `report_schema.py` has the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connform.faults import Verdict
from connform.manifest.harmless import mask_generated_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from connform.diagnostics import Diagnostic, SourceExcerpt, Span
    from connform.engine.changes.origins import Send
    from connform.engine.report import ConnectionReport, Report, SecretReport, StageResult, Value
    from connform.grant import GrantFacts
    from connform.recorded import Attempt

View = dict[str, Any]
"""JSON data of a report or of a part of it, with the fields in their order in the output."""

FORMAT_VERSION: Final = "1.4"
"""Additions raise the second number, anything else the first."""
_FREE_TEXT_KEYS: Final = ("base_url", "description", "owner", "path", "tags")
"""Keys whose values are sentences, labels or addresses: in them, what may be a pasted secret is masked."""
_NO_PLACE: Final = {"file": "", "line": None, "column": None, "end_line": None, "end_column": None}


def build(report: Report) -> View:
    """Return the view of `report`."""
    connections = [_connection(connection, detailed=report.command == "show") for connection in report.connections]
    verdicts = [connection["verdict"] for connection in connections]
    remarks = sum(len(connection["warnings"]) for connection in connections)
    frame: View = {
        "format_version": FORMAT_VERSION,
        "command": report.command,
        "exit_code": int(report.exit_code),
        "simulated": report.simulated,
        "elapsed_ms": _ms(report.elapsed_s),
        "files": list(report.files),
        "summary": {
            "connections": report.connection_count or len(connections),
            **{str(verdict): verdicts.count(verdict) for verdict in Verdict},
            "errors": report.number_of("error"),
            "warnings": report.number_of("warning") + remarks,
            "policies": report.policy_count,
        },
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in report.diagnostics],
        "connections": connections,
    }
    if report.plan is not None:
        actions = [connection["action"] for connection in connections]
        frame["plan"] = {
            "digest": report.plan.digest,
            **{action: actions.count(action) for action in ("create", "update", "move", "remove", "none")},
            "refusals": list(report.plan.refusals),
        }
    if report.briefs:
        frame["briefs"] = report.briefs
    if report.backends:
        frame["backends"] = [backend._asdict() for backend in report.backends]
    return frame


def relocated(view: View, rename: Callable[[str], str]) -> View:
    """Return the view with the path of every file replaced by `rename(path)`."""

    def renamed(item: View) -> View:
        inner: View = {
            key: [renamed(one) for one in item[key]] for key in ("related", "fix", "values", "secrets") if key in item
        }
        return {**item, "file": rename(item["file"]), **inner}

    lists: View = {key: [renamed(one) for one in view[key]] for key in ("diagnostics", "connections")}
    return {**view, "files": [rename(file) for file in view["files"]], **lists}


def _diagnostic(diagnostic: Diagnostic) -> View:
    return {
        "severity": str(diagnostic.severity),
        "code": diagnostic.code,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        **_place(diagnostic.span),
        "pointer": diagnostic.pointer,
        "connection": diagnostic.connection,
        "related": [
            {"message": related.message, **_place(related.span), "snippet": _snippet(related.snippet)}
            for related in diagnostic.related
        ],
        "snippet": _snippet(diagnostic.snippet),
        "fix": [{**_place(edit.span), "text": edit.text} for edit in diagnostic.fix],
        "count": diagnostic.number,
    }


def _connection(connection: ConnectionReport, *, detailed: bool) -> View:
    frame = {
        "name": connection.name,
        "provider": connection.provider,
        "environment": connection.environment,
        "region": connection.region,
        "base_url": mask_generated_text(connection.base_url),
        "auth_method": connection.auth_method,
        "tags": list(map(mask_generated_text, connection.tags)),
        "verdict": str(connection.verdict or ""),
        "stage": str(connection.stage or ""),
        "class": connection.fault,
        "message": connection.message,
        "hint": connection.hint,
        "warnings": [remark.text for remark in connection.warnings],
        "warning_codes": [remark.code for remark in connection.warnings],
        **_place(connection.place),
        "elapsed_ms": _ms(connection.elapsed_s),
        "stages": [_stage(stage) for stage in connection.stages],
    }
    if detailed:
        frame |= {**connection.details, "values": [_value(value) for value in connection.values]}
    if connection.action:
        changes = [_change(*change) for change in connection.changes]
        sends = [_send(one) for one in connection.sends]
        frame |= {"action": connection.action, "changes": changes, "reasons": list(connection.reasons)}
        frame |= {"sends": sends, "moved_from": connection.moved_from, "revokes": _grant(connection.revokes)}
    if connection.record is not None:
        record = connection.record
        frame["recorded"] = {
            "file": record.file,
            "digest": record.digest,
            "specification": record.spec,
            "latest": _attempt(record.latest),
        }
        frame["history"] = [_attempt(attempt) for attempt in connection.history]
    if connection.secrets:
        frame["secrets"] = [_secret(secret) for secret in connection.secrets]
    return frame


def _grant(facts: GrantFacts | None) -> View | None:
    if facts is None:
        return None
    return {
        "connection": facts.connection,
        "client_id": facts.client_id,
        "scopes": list(facts.scopes),
        "granted_at": facts.granted_at.isoformat(timespec="seconds") if facts.granted_at else "",
    }


def _secret(secret: SecretReport) -> View:
    return {
        "key": secret.key,
        "reference": secret.reference,
        "store": secret.store,
        "backend": secret.backend,
        "version": secret.version,
        "since": secret.since.isoformat(timespec="seconds") if secret.since else "",
        "class": secret.fault,
        "message": secret.message,
        "hint": secret.hint,
        **_place(secret.place),
    }


def _attempt(attempt: Attempt) -> View:
    return {
        "at": attempt.at.isoformat(timespec="seconds"),
        "by": str(attempt.by),
        "action": attempt.action,
        "digest": attempt.digest,
        "base_url": mask_generated_text(attempt.base_url),
        "auth_method": attempt.auth_method,
        "verdict": attempt.verdict,
        "class": attempt.fault,
        "latency_ms": attempt.latency_ms,
        "certificate_expires_at": attempt.certificate_expires_at,
        "stages": list(attempt.stages),
        "secrets": [secret._asdict() for secret in attempt.secrets],
    }


def _stage(stage: StageResult) -> View:
    frame = {"name": str(stage.name), "status": stage.status, "elapsed_ms": _ms(stage.elapsed_s)}
    return frame | {key: value for key, value in stage.facts.items() if key not in frame}


def _value(value: Value) -> View:
    shown = _masked(value.pointer, value.value)
    return {"pointer": value.pointer, "value": shown, "origin": value.origin, **_place(value.place)}


def _change(pointer: str, before: Any, after: Any) -> View:
    return {"pointer": pointer, "before": _masked(pointer, before), "after": _masked(pointer, after)}


def _send(send: Send) -> View:
    return {
        "secret": mask_generated_text(send.secret),
        "origin": mask_generated_text(send.to.url),
        "how": [mask_generated_text(one) for one in send.to.details],
    }


def _masked(pointer: str, value: Any) -> Any:
    """Return a value of a manifest; under the keys of `_FREE_TEXT_KEYS`, what may be a pasted secret is masked."""
    if not any(f"/{key}/" in f"{pointer}/" for key in _FREE_TEXT_KEYS):
        return value
    if isinstance(value, list | tuple):
        return [_masked(pointer, one) for one in value]
    return mask_generated_text(value) if isinstance(value, str) else value


def _place(span: Span | None) -> View:
    return _NO_PLACE if span is None else span._asdict()


def _snippet(snippet: SourceExcerpt | None) -> View | None:
    if snippet is None:
        return None
    return {"text": snippet.text, "start": snippet.start, "length": snippet.length}


def _ms(elapsed_s: float) -> float:
    return round(elapsed_s * 1000, 1)
