"""The keys of a row of answers, of an example and of the error code in a provider's entry.

Layer 2, no IO.
"""

from __future__ import annotations

from connform.auth.kit.shapes import HEADER_MESSAGE, HEADER_NAME
from connform.manifest.schema_parts import PATTERN, closed, listed, names, sentence
from connform.manifest.shape import Schema
from connform.providers.body_schema import BODY_SCHEMA

_STATUS: Schema = {"type": "integer", "minimum": 100, "maximum": 599, "description": "An HTTP status."}
_MEANS: Schema = {
    "type": "string",
    "maxLength": 63,
    "description": "`ready`, or a class of failure (docs/reference/verdicts.md).",
    "examples": ["ready", "auth_rejected", "auth_denied", "http_not_this_api"],
}
_HEADERS: Schema = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 16,
    "propertyNames": names(HEADER_NAME, HEADER_MESSAGE),
    "additionalProperties": sentence("A text that the header contains."),
}
_TRUE: Schema = {"const": True, "errorMessage": "write `true`, or leave the key out"}
ERROR_CODE = closed(
    "Where an error's code stands in a body: nothing else of a body is ever shown.",
    {
        "at": {
            "type": "string",
            "pattern": r"^(/([^~/]|~[01])*)+(?!\n)$",
            "maxLength": 253,
            "description": "A JSON Pointer (RFC 6901): `/error/code`.",
            "errorMessage": "a JSON Pointer starts with a slash: `/error/code` (RFC 6901)",
        },
        "pattern": {**PATTERN, "description": "A regular expression that fits the whole code; any other text is none."},
    },
    ("at", "pattern"),
)
ANSWER = closed(
    "What an answer means. A condition that isn't given fits every answer.",
    {
        "status": {**listed(_STATUS, 100), "minItems": 1, "description": "The statuses that it fits."},
        "code": {**PATTERN, "description": "A regular expression that fits the whole error code."},
        "header": {**_HEADERS, "description": "Headers, each with a text that it contains."},
        "body": {**BODY_SCHEMA, "description": "What the body is, by a JSON Schema of a few keywords."},
        "empty": {**_TRUE, "description": "The body is empty."},
        "text": sentence("The whole body, without the white space around it."),
        "own_root": {**_TRUE, "description": "The connection gives the root itself."},
        "means": _MEANS,
        "hint": sentence("What to do; default: the hint of the class."),
    },
    ("status", "means"),
)
"""The schema of a row of `answers`."""
EXAMPLE = closed(
    "An answer quoted from a source.",
    {
        "status": _STATUS,
        "body": {"description": "The body: a text as it is sent, or what stands in it as JSON."},
        "headers": {**_HEADERS, "description": "Headers that matter for its meaning."},
        "means": _MEANS,
    },
    ("status", "means"),
)
"""The schema of an item of `examples`."""
