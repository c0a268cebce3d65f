"""The fields of a connection in JSON. Layer 4, no IO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connform.faults import Stage, Verdict
from connform.manifest.harmless import mask_generated_text, masked
from connform.reporters.attempt_fields import ATTEMPT, STAGE, time_text
from connform.reporters.check_fields import CHECKS
from connform.reporters.fields import ELAPSED, PLACE, JsonObject, array, text

if TYPE_CHECKING:
    from connform.engine.changes.destination import Send
    from connform.engine.changes.specification import FieldChange
    from connform.engine.connection_report import ConnectionReport, SecretReport, Value
    from connform.grant import GrantFacts
    from connform.recorded import AppliedRecord

_FREE_TEXT_KEYS = {"base_url", "check", "description", "environment", "owner", "path", "tags"}
"""Keys whose values are sentences, labels, addresses or bodies: in them, what may be a pasted secret is masked."""


def _masked(pointer: str, value: Any) -> Any:
    """Return a value of a manifest; under the keys of `_FREE_TEXT_KEYS`, what may be a pasted secret is masked."""
    return value if _FREE_TEXT_KEYS.isdisjoint(pointer.split("/")) else masked(value)


_RECORDED: JsonObject[AppliedRecord] = JsonObject(
    "`state`: what is recorded.",
    {
        "file": text("The manifest: its path in the repository."),
        "digest": text("Of the specification that was applied last; empty where none ever went well."),
        "specification": ({"type": "object", "description": "That specification: references, never secrets."}, "spec"),
        "latest": ATTEMPT.one("latest"),
    },
)

_VALUE: JsonObject[Value] = JsonObject(
    "One effective value.",
    {
        "pointer": text("RFC 6901 pointer."),
        "value": (
            {"description": "Plain data; a secret reference as text, never a secret."},
            lambda v: _masked(v.pointer, v.value),
        ),
        "origin": text("`connection`, `template NAME`, `defaults`, or `default` for connform's own."),
        **PLACE,
    },
)

CHANGE: JsonObject[FieldChange] = JsonObject(
    "One value that differs.",
    {
        "pointer": text("RFC 6901 pointer."),
        "before": ({"description": "As applied; null where there was none."}, lambda c: _masked(c.pointer, c.before)),
        "after": ({"description": "As declared; null where there is none."}, lambda c: _masked(c.pointer, c.after)),
    },
    (
        "pointer",  # always present since 1.5, but not required by the schema
        {
            "is_default_before": {
                "type": "boolean",
                "description": "Whether `before` is connform's own default; since 1.5.",
            },
            "is_default_after": {
                "type": "boolean",
                "description": "Whether `after` is connform's own default; since 1.5.",
            },
        },
    ),
)

_SEND: JsonObject[Send] = JsonObject(
    "One secret, and one origin that gets it.",
    {
        "secret": (
            text("Where it lies: its reference; or what it is. Never the secret."),
            "secret",
            mask_generated_text,
        ),
        "origin": (
            text("Scheme, host and port; or what names them where the manifest doesn't."),
            "to.url",
            mask_generated_text,
        ),
        "how": (
            array(text(), "What is there, and what decides who reads it on the way."),
            "to.details",
            lambda details: list(map(mask_generated_text, details)),
        ),
    },
)

REVOKED: JsonObject[GrantFacts] = JsonObject(
    "`plan` and `apply`: the living grant that ends with what is to be done, or null. No token is part of it.",
    {
        "connection": text("Whose it is: the name under which it is kept."),
        "client_id": text("The app that it was given to."),
        "scopes": (array(text(), "What was granted."), "scopes", list),
        "granted_at": (text("When, ISO 8601; empty where an earlier version kept it."), "granted_at", time_text),
    },
    is_nullable=True,
)

_GRANT: JsonObject[GrantFacts] = JsonObject(
    "`login`: the stored grant, or null. No token is part of it.",
    {
        "client_id": text("The app that it was given to."),
        "account": text("Who granted it, as the server names them, or empty."),
        "scopes": (array(text(), "What was granted."), "scopes", list),
        "granted_at": (text("When, ISO 8601; empty where an earlier version kept it."), "granted_at", time_text),
        "access_token_expires_at": (text("ISO 8601, or empty where no end is known."), "expires_at", time_text),
        "has_refresh_token": ({"type": "boolean", "description": "Whether it can be renewed."}, "is_renewable"),
        "refresh_token_expires_at": (text("ISO 8601, or empty where no end is known."), "refresh_ends_at", time_text),
    },
    is_nullable=True,
)

_SECRET: JsonObject[SecretReport] = JsonObject(
    "One secret of a connection.",
    {
        "key": text("The key under `auth:`, or `proxy.password`."),
        "reference": text("Where it lies."),
        "store": text("The store that the reference names, or empty."),
        "backend": text("The backend's scheme."),
        "version": text("The version that was read, or empty."),
        "since": (text("When that version was written, ISO 8601, or empty."), "since", time_text),
        "class": (text("The class of the failure, or empty."), "fault"),
        "message": text("What happened, or empty."),
        "hint": text("What to do, or empty."),
        **PLACE,
    },
)

CONNECTION: JsonObject[ConnectionReport] = JsonObject(
    "One connection.",
    {
        "name": text("Unique over all files."),
        "provider": text("Its provider."),
        "environment": (text("Or empty."), "environment", mask_generated_text),
        "region": text("Or empty."),
        "base_url": (text("Resolved API root."), "base_url", mask_generated_text),
        "auth_method": text("`api_key`, `oauth2`, `bearer`."),
        "tags": (array(text()), "tags", lambda tags: list(map(mask_generated_text, tags))),
        "verdict": (
            text("Empty for commands that don't check.", enum=[*Verdict, ""]),
            "verdict",
            lambda verdict: str(verdict or ""),
        ),
        "stage": (text("The stage that failed, or empty.", enum=[*Stage, ""]), "stage", lambda stage: str(stage or "")),
        "class": (text("The class of the failure, or empty."), "fault"),
        "message": text("What happened, or empty."),
        "hint": text("What to do, or empty."),
        "warnings": (array(text()), "warnings", lambda warnings: [remark.text for remark in warnings]),
        "warning_codes": (
            array(text(), "The code of each warning."),
            "warnings",
            lambda warnings: [remark.code for remark in warnings],
        ),
        **PLACE,
        "elapsed_ms": ELAPSED,
        "stages": STAGE.each("stages"),
    },
    (
        "values",
        {"values": _VALUE.each("values", "`show`: every effective value and where it comes from.")},
    ),
    (
        "action",
        {
            "action": text("`plan` and `apply`.", enum=["create", "update", "move", "remove", "none"]),
            "changes": CHANGE.each("changes", "`plan` and `apply`: what differs."),
            "reasons": (array(text(), "`plan` and `apply`: why, beyond the values."), "reasons", list),
            "sends": _SEND.each("sends", "`plan` and `apply`: which secret is sent where; none where nothing is done."),
            "moved_from": text("`plan` and `apply`: the name under which it was recorded, or empty."),
            "revokes": REVOKED.one("revokes"),
        },
    ),
    (
        "login",
        {
            "login": text(
                "`login`: whether a grant is stored that works.", enum=["granted", "needed", "ended", "expired"]
            ),
            "grant": _GRANT.one("grant"),
        },
    ),
    ("record", {"recorded": _RECORDED.one("record")}),
    (
        "secrets",
        {"secrets": _SECRET.each("secrets", "`secrets check`: where each lies; never what it is.")},
    ),
    ("record", {"history": ATTEMPT.each("history", "`state history`: the oldest first.")}),
    ("checks", {"checks": CHECKS.one("checks")}),
    facts="details",
    facts_schemas={
        "key_management_url": text("`show`: where a person creates keys."),
        "authorize_url": text("`show`: OAuth 2.0 authorization endpoint, RFC 6749 §3.1."),
        "token_url": text("`show`: OAuth 2.0 token endpoint, RFC 6749 §3.2."),
        "api_key_header": text("`show`: the header that carries an API key."),
        "owner": text("`show`: whom to ask."),
    },
)
