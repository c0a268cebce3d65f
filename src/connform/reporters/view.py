"""`build`: the JSON object of a report, from which every format is rendered, and the fields of the report. Layer 4, no IO.

Absent text is `""`, an absent list `[]`, an absent number or object `null`. A field is one line in the object that has it,
from which `schemas.py` has its schema. `connection_fields.py` has the fields of connections.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from connform.diagnostics import Severity
from connform.faults import Verdict
from connform.reporters.fields import COUNT, ELAPSED, SPAN, Field, JsonObject, array, each_of, text

if TYPE_CHECKING:
    from connform.diagnostics import Diagnostic, Edit, Related, SourceExcerpt
    from connform.engine.connection_report import ConnectionReport
    from connform.engine.report import Report
    from connform.engine.report_parts import BackendReport, DoctorFinding
    from connform.errors import ConnectionFailed

View = dict[str, Any]
"""JSON data of a report or of a part of it, with the fields in their order in the output."""

FORMAT_VERSION = "1.6"
"""Additions raise the second number, anything else the first."""

_SNIPPET: JsonObject[SourceExcerpt] = JsonObject(
    "The source line, with everything that might be a secret masked; null where it can't be shown.",
    {
        "text": text("The line."),
        "start": COUNT | {"description": "0-based start of the mark."},
        "length": COUNT,
    },
    is_nullable=True,
)

_RELATED: JsonObject[Related] = JsonObject(
    "A second place that matters.",
    {
        "message": text("What stands there."),
        **SPAN,
        "snippet": _SNIPPET.one("snippet"),
    },
)

_EDIT: JsonObject[Edit] = JsonObject(
    "What is replaced, on one line, and by what.",
    {
        **SPAN,
        "text": text("What stands there afterwards."),
    },
)

_DIAGNOSTIC: JsonObject[Diagnostic] = JsonObject(
    "One thing that is wrong in a manifest.",
    {
        "severity": (text(enum=[*Severity]), "severity", str),
        "code": text("Stable, kebab-case."),
        "summary": text("One line, the same for every diagnostic of the code."),
        "detail": text("What, why, and what to do."),
        "hint": text("A likely correction, or empty."),
        **SPAN,
        "pointer": text("RFC 6901 pointer to the value."),
        "connection": text("The connection concerned, or empty."),
        "related": _RELATED.each("related"),
        "snippet": _SNIPPET.one("snippet"),
        "fix": _EDIT.each("fix", "What `validate --fix` does about it: only what is certain."),
        "count": (
            {
                "type": "integer",
                "minimum": 1,
                "description": "How many mistakes it stands for: more than one for `more-errors` and `more-warnings`.",
            },
            lambda d: d.number,
        ),
    },
)


def _number(value_of: Callable[[ConnectionReport], object], value: str) -> Field[Report]:
    return COUNT, lambda r: list(map(value_of, r.connections)).count(value)


_SUMMARY: JsonObject[Report] = JsonObject(
    "How many of what.",
    {
        "connections": (COUNT, lambda r: r.connection_count or len(r.connections)),
        **{str(verdict): _number(lambda c: c.verdict, verdict) for verdict in Verdict},
        "errors": (COUNT, lambda r: r.number_of("error")),
        "warnings": (COUNT, lambda r: r.number_of("warning") + sum(len(c.warnings) for c in r.connections)),
    },
    (
        "command",  # always present since 1.3, but not required by the schema
        {"policies": (COUNT | {"description": "How many policies judged the connections; since 1.3."}, "policy_count")},
    ),
)


def _number_of_changes(action: str, report: Report) -> int:
    assert report.plan is not None  # noqa: S101  (`_PLAN` is the view of a plan)
    brief: list[str] = [change.effective_action for change in report.plan.changes]
    return brief.count(action) + [one.action for one in report.connections].count(action)


_PLAN: JsonObject[Report] = JsonObject(
    "`plan` and `apply`: what binds them together.",
    {
        "digest": (text("For `apply --expect-digest`."), "plan.digest"),
        **{each: (COUNT, partial(_number_of_changes, each)) for each in ("create", "update", "move", "remove")},
        "none": (COUNT, lambda r: r.plan.unlisted + sum(c.action == "none" for c in r.connections)),
        "refusals": (array(text(), "Why `apply` would want --force."), "plan.refusals", list),
    },
)

_BACKEND: JsonObject[BackendReport] = JsonObject(
    "One secret backend.",
    {
        "scheme": text("Of its references, and the type of its stores."),
        "form": text("How a reference looks."),
        "description": text("What a store of this type is."),
        "package": text("Which package brings it."),
        "missing": text("How to install what is missing here, or empty."),
    },
)

_UNRECORDED: JsonObject[ConnectionFailed] = JsonObject(
    "Why results could not be recorded in one state database.",
    {
        "class": (text("The class of the failure."), "fault.name"),
        "message": text("What happened."),
        "hint": text("What to do, or empty."),
    },
)

_FINDING: JsonObject[DoctorFinding] = JsonObject(
    "One thing that `doctor` looked at.",
    {
        "section": text("What it belongs to: `secrets`, `network`, …"),
        "name": text("What was looked at."),
        "status": text(
            "`problem` keeps this manifest from working here, `note` does not.", enum=["ok", "note", "problem"]
        ),
        "message": text("What was found."),
        "hint": text("What to do, or empty."),
    },
)


def _connection() -> JsonObject[ConnectionReport]:
    from connform.reporters.connection_fields import CONNECTION  # some reports list none

    return CONNECTION


REPORT: JsonObject[Report] = JsonObject(
    "One object per run, the same for every command.",
    {
        "format_version": (
            text("MAJOR.MINOR; a new MINOR only adds.") | {"pattern": r"^1\.[0-9]+$"},
            lambda _: FORMAT_VERSION,
        ),
        "command": text("The verb."),
        "exit_code": ({"type": "integer", "minimum": 0, "maximum": 255}, "exit_code", int),
        "simulated": {"type": "boolean", "description": "Whether the simulator answered instead of the API."},
        "elapsed_ms": ELAPSED,
        "files": (array(text()), "files", list),
        "summary": (_SUMMARY.schema, _SUMMARY.view),
        "diagnostics": _DIAGNOSTIC.each("diagnostics"),
        "connections": each_of(_connection, "connections"),
    },
    (
        "interruption",  # only there where it is true
        {
            "interrupted": (
                {"type": "boolean", "description": "A signal ended the run: `skipped` were not looked at."},
                lambda _: True,
            )
        },
    ),
    (
        "unrecorded",
        {
            "unrecorded": _UNRECORDED.each(
                "unrecorded", "`check --record` and `monitor`, since 1.6: why results were not recorded."
            )
        },
    ),
    ("plan", {"plan": (_PLAN.schema, _PLAN.view)}),
    ("backends", {"backends": _BACKEND.each("backends", "`secrets backends`.")}),
    ("findings", {"findings": _FINDING.each("findings", "`doctor`, since 1.5: all that it looked at.")}),
)


def build(report: Report) -> View:
    """Return the view of `report`."""
    view = REPORT.view(report)
    # Briefs and brief changes aren't in the schema: only the format text gets them.
    if report.briefs:
        view["briefs"] = report.briefs
    if report.plan and report.plan.changes:
        from connform.reporters.brief_changes import brief_changes

        view["changes"] = brief_changes(report.plan.changes)
    return view


def relocated(view: View, rename: Callable[[str], str]) -> View:
    """Return the view with the path of every file replaced by `rename(path)`."""

    def renamed(item: View) -> View:
        inner: View = {
            key: [renamed(one) for one in item[key]] for key in ("related", "fix", "values", "secrets") if key in item
        }
        return {**item, "file": rename(item["file"]), **inner}

    lists: View = {key: [renamed(one) for one in view[key]] for key in ("diagnostics", "connections")}
    return {**view, "files": [rename(file) for file in view["files"]], **lists}
