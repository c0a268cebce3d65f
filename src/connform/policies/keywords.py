"""The JSON Schema keywords (2020-12) that a policy may use, and the JSON Schema of a policy file.

Layer 2, no IO. Any other keyword is refused, because a misspelled one would accept everything. `format` is refused as
well, because it refuses nothing, and so are references to anything outside of the policy: nothing is ever fetched.
"""

from __future__ import annotations

from typing import Any

from connform.manifest.shape import Schema

CODE = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(?!\n)$"
"""The pattern of a policy's code."""

SCHEMA: Schema = {"$ref": "#/$defs/schema"}
"""The value of a keyword that is a schema."""
SCHEMAS: Schema = {"type": "array", "minItems": 1, "items": SCHEMA}
"""The value of a keyword that is a list of schemas."""
NAMED_SCHEMAS: Schema = {"type": "object", "additionalProperties": SCHEMA}
"""The value of a keyword that is a mapping of schemas."""

_TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"]
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_KEYS: Schema = {"type": "array", "items": _TEXT, "uniqueItems": True}

KEYWORDS: dict[str, Schema] = {
    "$schema": {"const": "https://json-schema.org/draft/2020-12/schema"},
    "$comment": _TEXT,
    "title": _TEXT,
    "description": _TEXT,
    "$defs": NAMED_SCHEMAS,
    "$ref": {
        "type": "string",
        "pattern": r"^#/\$defs/[^/]+$",
        "description": "A schema under `$defs` of the same policy.",
        "errorMessage": "a reference names a schema of the same policy: `#/$defs/NAME`; nothing is ever fetched",
    },
    "if": SCHEMA,
    "then": SCHEMA,
    "else": SCHEMA,
    "allOf": SCHEMAS,
    "anyOf": SCHEMAS,
    "oneOf": SCHEMAS,
    "not": SCHEMA,
    "type": {
        "if": {"type": "array"},
        "then": {"items": {"enum": _TYPES}, "minItems": 1, "uniqueItems": True},
        "else": {"enum": _TYPES},
    },
    "const": {},
    "enum": {"type": "array", "minItems": 1},
    "properties": NAMED_SCHEMAS,
    "patternProperties": NAMED_SCHEMAS,
    "additionalProperties": SCHEMA,
    "unevaluatedProperties": SCHEMA,
    "propertyNames": SCHEMA,
    "required": _KEYS,
    "dependentRequired": {"type": "object", "additionalProperties": _KEYS},
    "dependentSchemas": NAMED_SCHEMAS,
    "minProperties": _COUNT,
    "maxProperties": _COUNT,
    "items": SCHEMA,
    "prefixItems": SCHEMAS,
    "unevaluatedItems": SCHEMA,
    "contains": SCHEMA,
    "minContains": _COUNT,
    "maxContains": _COUNT,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "uniqueItems": {"type": "boolean"},
    "pattern": {
        "type": "string",
        "description": "A regular expression as Python's `re.search` reads it, without back-references and looking behind.",
    },
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
    "multipleOf": {"type": "number", "exclusiveMinimum": 0},
}
"""Every keyword, and the schema of its value."""

_POLICY: Schema = {
    "type": "object",
    "description": "One policy.",
    "properties": {
        "message": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "description": "What the policy demands, in one sentence; the summary of its diagnostics.",
        },
        "severity": {
            "enum": ["error", "warning"],
            "default": "error",
            "description": "Only an error changes the exit code. Default: error.",
        },
        "schema": {**SCHEMA, "description": "A JSON Schema (2020-12) of one effective connection."},
    },
    "required": ["message", "schema"],
    "additionalProperties": False,
}


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a policy file, as `schema/policy.schema.json` has it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "connform policies",
        "description": "What effective connections must be like: JSON Schemas with a code, a message and a severity.",
        "type": "object",
        "properties": {
            "version": {"const": 1, "description": "The version of this format: 1."},
            "policies": {
                "type": "object",
                "description": "The policies by the code of their diagnostics, in kebab-case.",
                "propertyNames": {
                    "pattern": CODE,
                    "errorMessage": "a policy's name is the code of its diagnostics, in kebab-case: `owner-missing`",
                },
                "additionalProperties": _POLICY,
            },
        },
        "required": ["version", "policies"],
        "additionalProperties": False,
        "$defs": {
            "schema": {
                "type": ["object", "boolean"],
                "description": "A JSON Schema.",
                "properties": KEYWORDS,
                "additionalProperties": False,
            }
        },
    }
