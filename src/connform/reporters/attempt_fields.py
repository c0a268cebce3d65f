"""The fields of stages, used secrets and attempts in JSON. Layer 4, no IO."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from connform.faults import Stage, Verdict
from connform.manifest.harmless import mask_generated_text
from connform.reporters.fields import ELAPSED, MILLISECONDS, JsonObject, array, text

if TYPE_CHECKING:
    from connform.engine.connection_report import StageResult
    from connform.recorded import Attempt, UsedSecret


def time_text(when: datetime | None) -> str:
    """Return a time in ISO 8601, to the second; empty for `None`."""
    return when.isoformat(timespec="seconds") if when else ""


STAGE: JsonObject[StageResult] = JsonObject(
    "One stage of a check. Further keys are facts: addresses, tls_version, cert_expires_at, …",
    {
        "name": (text(enum=[*Stage]), "name", str),
        "status": text(enum=["ok", "failed", "skipped"]),
        "elapsed_ms": ELAPSED,
    },
    facts="facts",
)

USED_SECRET: JsonObject[UsedSecret] = JsonObject(
    "A secret that was used: where it lies, never what it is.",
    {
        "key": text("The key under `auth:`, or `proxy.password`."),
        "reference": text("Where it lies."),
        "version": text("Or empty."),
    },
)

ATTEMPT: JsonObject[Attempt] = JsonObject(
    "One attempt of `apply`.",
    {
        "at": (text("ISO 8601, UTC."), "at", time_text),
        "by": (text("`user@host`, and the CI job."), "by", str),
        "action": text(enum=["create", "update", "remove"]),
        "digest": text("Of the specification that was tried."),
        "base_url": (text("Resolved API root."), "base_url", mask_generated_text),
        "auth_method": text("`api_key`, `oauth2`, `bearer`."),
        "verdict": text(enum=[*Verdict]),
        "class": (text("The class of the failure, or empty."), "fault"),
        "latency_ms": MILLISECONDS | {"type": ["number", "null"]},
        "certificate_expires_at": text("ISO 8601, or empty."),
        "stages": (array(STAGE.schema), "stages", list),
        "secrets": USED_SECRET.each("secrets"),
    },
)
