"""JSON Schemas that others are made of: texts with names in them, lists, mappings by name, closed objects.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.manifest.shape import Schema

_NAME = r"^[a-z][a-z0-9_]{0,62}(?!\n)$"
"""What may stand between the braces of `{name}`."""

LINE_OF_NAMES: Schema = {"type": "string", "minLength": 1, "maxLength": 253}
"""A text with `{name}` in it that isn't a URL."""
URL_TEXT: Schema = {
    "type": "string",
    "pattern": r"^([Hh][Tt][Tt][Pp][Ss]?://|\{)",
    "maxLength": 1024,
    "x-code": "malformed-url",
    "errorMessage": "a full URL is needed: https://host/path, or `{origin}/path` where the root is known",
}
"""A URL with `{name}` in it."""
PATH: Schema = {
    "type": "string",
    "pattern": r"^/([!$-.0-\[\]-~][!$-\[\]-~]*)?(?!\n)$",
    "maxLength": 1024,
    "errorMessage": "the path starts with one slash, is relative to the root, and holds no space, backslash or `#`",
}
PATTERN: Schema = {"type": "string", "minLength": 1, "maxLength": 1024}
JSON: Schema = {"if": {"type": "array"}, "else": {"type": "object"}}
"""An object or a list."""


def sentence(description: str) -> Schema:
    """Return the schema of a text for people."""
    return {"type": "string", "minLength": 1, "maxLength": 1024, "description": description}


def listed(item: Schema, limit: int) -> Schema:
    """Return the schema of a list without repetitions."""
    return {"type": "array", "items": item, "maxItems": limit, "uniqueItems": True}


VARIABLES: Schema = {
    **listed({"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(?!\n)$", "maxLength": 253}, 16),
    "description": "The environment variables that the vendor's own tools read it from, the usual one first; `init --from-env` knows it by them.",
}
"""The schema of the names of environment variables."""


def names(pattern: str, message: str) -> Schema:
    """Return the schema of the keys of a mapping."""
    return {"title": "name", "pattern": pattern, "errorMessage": message}


def named(value: Schema, description: str, limit: int = 64, pattern: str = _NAME, at_least: int = 0) -> Schema:
    """Return the schema of a mapping by name; by default, names may stand between the braces of `{name}`."""
    message = "a name starts with a small letter, and goes on with small letters, digits or `_` (63 at most)"
    if pattern != _NAME:
        message = "a name starts with a small letter or a digit, and goes on with small letters, digits, `-`, `_` or `.` (63 at most)"
    schema: Schema = {
        "type": "object",
        "description": description,
        "maxProperties": limit,
        "propertyNames": names(pattern, message),
        "additionalProperties": value,
    }
    return {**schema, "minProperties": at_least} if at_least else schema


def closed(description: str, properties: Mapping[str, Any], required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object without further keys."""
    schema: Schema = {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        "additionalProperties": False,
    }
    return {**schema, "required": list(required)} if required else schema
