"""The JSON Schemas of a report in the formats `json` and `jsonl`: what programs that read them may rely on.

Layer 4, no IO. `make schema` writes them to `schema/report.schema.json` and `schema/report-line.schema.json`.
"""

from __future__ import annotations

from typing import Any, Final

from connform.diagnostics import Severity
from connform.faults import Stage, Verdict

Schema = dict[str, Any]


def _object(description: str, properties: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties | (optional or {}),
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_MS: Final[Schema] = {"type": "number", "minimum": 0, "description": "Milliseconds, to a tenth."}
_POSITION: Final[Schema] = {"type": "integer", "minimum": 1, "description": "1-based; columns count characters."}
_PLACE: Final[Schema] = {
    "file": _text("As it was named; `<stdin>` for standard input."),
    "line": _POSITION,
    "column": _POSITION,
    "end_line": _POSITION,
    "end_column": _POSITION | {"description": "Just behind the last character."},
}
_PLACE_OR_NONE: Final[Schema] = {
    "file": _text("As it was named; empty where there is no place."),
    **{name: each | {"type": ["integer", "null"]} for name, each in _PLACE.items() if name != "file"},
}

_SNIPPET: Final = _object(
    "The source line, with everything that might be a secret masked; null where it can't be shown.",
    {"text": _text("The line."), "start": _COUNT | {"description": "0-based start of the mark."}, "length": _COUNT},
) | {"type": ["object", "null"]}

_EDIT: Final = _object(
    "What is replaced, on one line, and by what.",
    {**_PLACE, "text": _text("What stands there afterwards.")},
)

_DIAGNOSTIC: Final = _object(
    "One thing that is wrong in a manifest.",
    {
        "severity": _one_of(*Severity),
        "code": _text("Stable, kebab-case."),
        "summary": _text("One line, the same for every diagnostic of the code."),
        "detail": _text("What, why, and what to do."),
        "hint": _text("A likely correction, or empty."),
        **_PLACE,
        "pointer": _text("RFC 6901 pointer to the value."),
        "connection": _text("The connection concerned, or empty."),
        "related": _list(
            _object(
                "A second place that matters.", {"message": _text("What stands there."), **_PLACE, "snippet": _SNIPPET}
            )
        ),
        "snippet": _SNIPPET,
        "fix": _list(_EDIT) | {"description": "What `validate --fix` does about it: only what is certain."},
        "count": {
            "type": "integer",
            "minimum": 1,
            "description": "How many mistakes it stands for: more than one for `more-errors` and `more-warnings`.",
        },
    },
)

_STAGE: Final = {
    "type": "object",
    "description": "One stage of a check. Further keys are facts: addresses, tls_version, cert_expires_at, …",
    "properties": {"name": _one_of(*Stage), "status": _one_of("ok", "failed", "skipped"), "elapsed_ms": _MS},
    "required": ["name", "status", "elapsed_ms"],
}

_VALUE: Final = _object(
    "One effective value.",
    {
        "pointer": _text("RFC 6901 pointer."),
        "value": {"description": "Plain data; a secret reference as text, never a secret."},
        "origin": _text("`connection`, `template NAME`, `defaults`, or `default` for connform's own."),
        **_PLACE_OR_NONE,
    },
)

_ATTEMPT: Final = _object(
    "One attempt of `apply`.",
    {
        "at": _text("ISO 8601, UTC."),
        "by": _text("`user@host`, and the CI job."),
        "action": _one_of("create", "update", "remove"),
        "digest": _text("Of the specification that was tried."),
        "base_url": _text("Resolved API root."),
        "auth_method": _text("`api_key`, `oauth2`, `bearer`."),
        "verdict": _one_of(*Verdict),
        "class": _text("The class of the failure, or empty."),
        "latency_ms": _MS | {"type": ["number", "null"]},
        "certificate_expires_at": _text("ISO 8601, or empty."),
        "stages": _list(_STAGE),
        "secrets": _list(
            _object(
                "A secret that was used: where it lies, never what it is.",
                {
                    "key": _text("The key under `auth:`."),
                    "reference": _text("Where it lies."),
                    "version": _text("Or empty."),
                },
            )
        ),
    },
)

_CHANGE: Final = _object(
    "One value that differs.",
    {
        "pointer": _text("RFC 6901 pointer."),
        "before": {"description": "As applied; null where there was none."},
        "after": {"description": "As declared; null where there is none."},
    },
)

_SEND: Final = _object(
    "One secret, and one origin that gets it.",
    {
        "secret": _text("Where it lies: its reference; or what it is. Never the secret."),
        "origin": _text("Scheme, host and port; or what names them where the manifest doesn't."),
        "how": _list({"type": "string"}) | {"description": "What is there, and what decides who reads it on the way."},
    },
)
_REVOKED: Final = _object(
    "`plan` and `apply`: the living grant that ends with what is to be done, or null. No token is part of it.",
    {
        "connection": _text("Whose it is: the name under which it is kept."),
        "client_id": _text("The app that it was given to."),
        "scopes": _list({"type": "string"}) | {"description": "What was granted."},
        "granted_at": _text("When, ISO 8601; empty where an earlier version kept it."),
    },
) | {"type": ["object", "null"]}

_RECORDED: Final = _object(
    "`state`: what is recorded.",
    {
        "file": _text("The manifest: its path in the repository."),
        "digest": _text("Of the specification that was applied last; empty where none ever went well."),
        "specification": {"type": "object", "description": "That specification: references, never secrets."},
        "latest": _ATTEMPT,
    },
)

_SECRET: Final = _object(
    "One secret of a connection.",
    {
        "key": _text("The key under `auth:`."),
        "reference": _text("Where it lies."),
        "store": _text("The store that the reference names, or empty."),
        "backend": _text("The backend's scheme."),
        "version": _text("The version that was read, or empty."),
        "since": _text("When that version was written, ISO 8601, or empty."),
        "class": _text("The class of the failure, or empty."),
        "message": _text("What happened, or empty."),
        "hint": _text("What to do, or empty."),
        **_PLACE_OR_NONE,
    },
)

_BACKEND: Final = _object(
    "One secret backend.",
    {
        "scheme": _text("Of its references, and the type of its stores."),
        "form": _text("How a reference looks."),
        "description": _text("What a store of this type is."),
        "package": _text("Which package brings it."),
        "missing": _text("How to install what is missing here, or empty."),
    },
)
_BACKENDS: Final = _list(_BACKEND) | {"description": "`secrets backends`."}

_CONNECTION: Final = _object(
    "One connection.",
    {
        "name": _text("Unique over all files."),
        "provider": _text("Its provider."),
        "environment": _text("Or empty."),
        "region": _text("Or empty."),
        "base_url": _text("Resolved API root."),
        "auth_method": _text("`api_key`, `oauth2`, `bearer`."),
        "tags": _list({"type": "string"}),
        "verdict": _one_of(*Verdict, "") | {"description": "Empty for commands that don't check."},
        "stage": _one_of(*Stage, "") | {"description": "The stage that failed, or empty."},
        "class": _text("The class of the failure, or empty."),
        "message": _text("What happened, or empty."),
        "hint": _text("What to do, or empty."),
        "warnings": _list({"type": "string"}),
        "warning_codes": _list({"type": "string"}) | {"description": "The code of each warning."},
        **_PLACE_OR_NONE,
        "elapsed_ms": _MS,
        "stages": _list(_STAGE),
    },
    optional={
        "key_management_url": _text("`show`: where a person creates keys."),
        "authorize_url": _text("`show`: OAuth 2.0 authorization endpoint, RFC 6749 §3.1."),
        "token_url": _text("`show`: OAuth 2.0 token endpoint, RFC 6749 §3.2."),
        "api_key_header": _text("`show`: the header that carries an API key."),
        "owner": _text("`show`: whom to ask."),
        "values": _list(_VALUE) | {"description": "`show`: every effective value and where it comes from."},
        "action": _one_of("create", "update", "move", "remove", "none") | {"description": "`plan` and `apply`."},
        "changes": _list(_CHANGE) | {"description": "`plan` and `apply`: what differs."},
        "reasons": _list({"type": "string"}) | {"description": "`plan` and `apply`: why, beyond the values."},
        "sends": _list(_SEND)
        | {"description": "`plan` and `apply`: which secret is sent where; none where nothing is done."},
        "moved_from": _text("`plan` and `apply`: the name under which it was recorded, or empty."),
        "revokes": _REVOKED,
        "recorded": _RECORDED,
        "secrets": _list(_SECRET) | {"description": "`secrets check`: where each lies; never what it is."},
        "history": _list(_ATTEMPT) | {"description": "`state history`: the oldest first."},
    },
)

_RUN: Final[Schema] = {
    "format_version": _text("MAJOR.MINOR; a new MINOR only adds.") | {"pattern": r"^1\.[0-9]+$"},
    "command": _text("The verb."),
    "exit_code": {"type": "integer", "minimum": 0, "maximum": 255},
    "simulated": {"type": "boolean", "description": "Whether the simulator answered instead of the API."},
    "elapsed_ms": _MS,
    "files": _list({"type": "string"}),
    "summary": _object(
        "How many of what.",
        {"connections": _COUNT, **{str(verdict): _COUNT for verdict in Verdict}, "errors": _COUNT, "warnings": _COUNT},
        {"policies": _COUNT | {"description": "How many policies judged the connections; since 1.3."}},
    ),
}

_PLAN: Final = _object(
    "`plan` and `apply`: what binds them together.",
    {
        "digest": _text("For `apply --expect-digest`."),
        **dict.fromkeys(("create", "update", "move", "remove", "none"), _COUNT),
        "refusals": _list({"type": "string"}) | {"description": "Why `apply` would want --force."},
    },
)

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

REPORT_SCHEMA: Final[Schema] = {
    "$schema": _DIALECT,
    "title": "What a connform command found (--format json)",
    **_object(
        "One object per run, the same for every command.",
        {**_RUN, "diagnostics": _list(_DIAGNOSTIC), "connections": _list(_CONNECTION)},
        optional={"plan": _PLAN, "backends": _BACKENDS},
    ),
}
"""JSON Schema 2020-12, closed but for the facts of a stage."""


def _line(kind: str, schema: Schema) -> Schema:
    properties = {"type": {"const": kind}, **schema["properties"]}
    return schema | {"properties": properties, "required": ["type", *schema["required"]]}


LINE_SCHEMA: Final[Schema] = {
    "$schema": _DIALECT,
    "title": "One line of what a connform command found (--format jsonl)",
    "anyOf": [
        _line("diagnostic", _DIAGNOSTIC),
        _line("connection", _CONNECTION),
        _line("summary", _object("The last line: the run as a whole.", _RUN, {"plan": _PLAN, "backends": _BACKENDS})),
    ],
}
"""JSON Schema 2020-12; `type` says which of the three a line is."""
