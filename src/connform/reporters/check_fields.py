"""The fields of recorded checks in JSON. Layer 4, no IO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.faults import Stage, Verdict
from connform.manifest.harmless import mask_generated_text
from connform.reporters.attempt_fields import STAGE, USED_SECRET, time_text
from connform.reporters.fields import COUNT, MILLISECONDS, JsonObject, Schema, array, text

if TYPE_CHECKING:
    from connform.recorded_checks import CheckHistory, HourlyFigures, VerdictChange

_LATENCY: Schema = MILLISECONDS | {"type": ["number", "null"]}
_VERDICTS = [Verdict.READY, Verdict.FAILED, Verdict.UNKNOWN]

_CHANGE: JsonObject[VerdictChange] = JsonObject(
    "A check whose verdict or class differed from that of the check before it.",
    {
        "at": (text("When it ended, ISO 8601, UTC."), "at", time_text),
        "verdict": text(enum=_VERDICTS),
        "class": (text("The class of the failure, or empty."), "fault"),
    },
)

_HOUR: JsonObject[HourlyFigures] = JsonObject(
    "What the checks of one hour found.",
    {
        "hour": (text("Its beginning, ISO 8601, UTC."), "hour", time_text),
        "checks": COUNT | {"description": "How many."},
        "failed": COUNT | {"description": "How many of them failed."},
        "unknown": COUNT | {"description": "Of how many nothing could be found out."},
        "median_ms": _LATENCY | {"description": "The median of their latencies; null where none was answered."},
        "worst_ms": _LATENCY | {"description": "The longest of their latencies; null as well."},
    },
)

CHECKS: JsonObject[CheckHistory] = JsonObject(
    "What `check --record` and `monitor` recorded, since 1.6: the latest check, and how it was before. Attempts of `apply` are not in it.",
    {
        "at": (text("When the latest check ended, ISO 8601, UTC."), "latest.at", time_text),
        "since": (text("Since when all checks had its verdict."), "since", time_text),
        "by": (text("`user@host`, and the CI job."), "latest.by", str),
        "base_url": (text("Resolved API root."), "latest.base_url", mask_generated_text),
        "auth_method": (text("`api_key`, `oauth2`, `bearer`."), "latest.auth_method"),
        "verdict": (text(enum=_VERDICTS), "latest.verdict"),
        "stage": (text("The stage that failed, or empty.", enum=[*Stage, ""]), "latest.stage"),
        "class": (text("The class of the failure, or empty."), "latest.fault"),
        "message": (text("What happened, or empty."), "latest.message"),
        "hint": (text("What to do, or empty."), "latest.hint"),
        "latency_ms": (_LATENCY, "latest.latency_ms"),
        "certificate_expires_at": (text("ISO 8601, or empty."), "latest.certificate_expires_at"),
        "grant_ends_at": (
            text("When the customer's grant ends unless it is renewed, ISO 8601; or empty."),
            "latest.grant_ends_at",
        ),
        "stages": (array(STAGE.schema), "latest.stages", list),
        "secrets": USED_SECRET.each("latest.secrets"),
        "counts": (
            {
                "type": "object",
                "description": "How many checks ever had which verdict.",
                "properties": {str(verdict): COUNT for verdict in _VERDICTS},
                "required": list(map(str, _VERDICTS)),
                "additionalProperties": False,
            },
            "counts",
            dict,
        ),
        "changes": _CHANGE.each(
            "changes", "Changes of the verdict, the oldest first; `state history` has all that are kept."
        ),
        "hours": _HOUR.each("hours", "Hourly figures, the oldest first; `state history` has all that are kept."),
    },
)
