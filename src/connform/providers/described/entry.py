"""The keys of an entry of `providers:`, as JSON Schemas with descriptions and messages.

Layer 2, no IO. What a schema can't express is in `rules/`.
"""

from __future__ import annotations

from typing import Any

from connform.auth.kit.shapes import PLAIN_HEADERS, PLAIN_QUERY
from connform.manifest.document_schema import NAME
from connform.manifest.schema_parts import (
    JSON,
    LINE_OF_NAMES,
    PATH,
    PATTERN,
    URL_TEXT,
    VARIABLES,
    closed,
    listed,
    named,
    names,
    sentence,
)
from connform.manifest.shape import Schema, Shape
from connform.providers.described.entry_answers import ANSWER, ERROR_CODE, EXAMPLE
from connform.providers.described.entry_auth import METHOD

_DESCRIPTION = sentence("One sentence for people and editors.")
_ERROR = sentence("What is said of a wrong value; default: which values there are.")
_VALUE: Schema = {
    **LINE_OF_NAMES,
    "description": "What the name stands for in texts; `{setting}` may stand in it.",
}
_ENVIRONMENT: Schema = {
    "type": "object",
    "description": "One environment of the API; every further key is a value that its texts name: `host`.",
    "properties": {
        "class": {
            "enum": ["production", "test"],
            "default": "production",
            "description": "Which safety rules apply to its connections. Default: production.",
        },
        "regions": {
            "type": "object",
            "description": "The regions by name, each with the values that it adds.",
            "minProperties": 1,
            "maxProperties": 128,
            "propertyNames": names(NAME, "a region's name is in small letters, digits, `-`, `_` or `.`"),
            "additionalProperties": named(_VALUE, "The values that this region adds.", limit=16),
        },
        "own_root": {
            "enum": ["besides", "only"],
            "description": "Whether a connection may give the root itself, as `base_url`: instead of the settings that the root needs, or always.",
        },
        "description": _DESCRIPTION,
        "error": _ERROR,
    },
    "propertyNames": named(_VALUE, "")["propertyNames"],
    "additionalProperties": _VALUE,
}
_SETTING = closed(
    "A value that a connection gives: one of a list, or a text that a pattern fits.",
    {
        "pattern": {**PATTERN, "description": "A regular expression that fits the whole value."},
        "values": {
            **listed({"type": "string", "minLength": 1, "maxLength": 253}, 256),
            "description": "All of its values.",
        },
        "kind": {
            "enum": ["host"],
            "description": "`host` for a value that may fill several labels of a host; without it, one label.",
        },
        "description": _DESCRIPTION,
        "examples": {
            **listed({"type": "string", "minLength": 1, "maxLength": 253}, 16),
            "description": "Values, for people and editors.",
        },
        "variables": VARIABLES,
        "error": _ERROR,
    },
)
_CHECK = closed(
    "The read-only request that shows whether a credential works.",
    {
        "method": {"enum": ["GET", "HEAD", "POST"], "description": "The method; a POST must only read."},
        "path": {**PATH, "description": "Below the root, with a leading slash."},
        "json": {**JSON, "description": "The body of a POST, as JSON."},
        "description": sentence("What it answers, in a few words: `the list of packages`."),
    },
    ("method", "path"),
)
_SOURCE = closed(
    "Where facts come from.",
    {
        "url": {
            "type": "string",
            "pattern": r"^https?://[!-~]+(?!\n)$",
            "maxLength": 1024,
            "x-code": "malformed-url",
            "description": "The address of the page.",
            "errorMessage": "a full URL is needed: https://host/path",
        },
        "read": {
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$",
            "description": "The day on which it was read: 2026-11-29.",
            "errorMessage": "a day is written as 2026-11-29",
        },
        "says": sentence("What of this entry it says, in a few words: `environments, headers`."),
    },
    ("url", "read"),
)
_PROPERTIES: dict[str, Any] = {
    "title": sentence("The name that people use."),
    "environments": named(
        _ENVIRONMENT, "The environments by name; without any, the API has one only.", limit=16, pattern=NAME
    ),
    "settings": named(_SETTING, "The values that a connection gives, by name.", limit=16),
    "root": {**URL_TEXT, "description": "The API root; `{name}` stands for a value of the environment, or a setting."},
    "key_page": {**URL_TEXT, "description": "The page where a person creates keys; `{origin}` is that of the root."},
    "auth": named(METHOD, "The auth methods by name, the usual one first.", limit=8, at_least=1),
    "headers": PLAIN_HEADERS,
    "query": PLAIN_QUERY,
    "check": _CHECK,
    "safe_posts": {
        **listed({**PATH, "description": "A path below the root."}, 256),
        "description": "Paths of POST calls that only read and may be repeated.",
    },
    "error_code": ERROR_CODE,
    "answers": {
        **listed(ANSWER, 32),
        "minItems": 1,
        "description": "What the answers to the check mean: the first row that fits.",
    },
    "examples": {**listed(EXAMPLE, 32), "description": "Answers quoted from a source, each with what it means."},
    "sources": {**listed(_SOURCE, 64), "minItems": 1, "description": "Where the facts of this entry come from."},
    "assumed": {
        "type": "object",
        "description": "What is a convention rather than the vendor's word, each with its reason.",
        "additionalProperties": sentence("Why it is assumed."),
    },
}
PROVIDER = Shape(
    properties=_PROPERTIES,
    required=("title", "auth", "check", "answers"),
    title="Provider",
    description="What an API is like: where it is, how one authenticates there, what its answers mean.",
)
"""The shape of an entry."""
