"""The JSON Schemas by which bodies of answers are judged: a closed list of keywords, eight schemas deep, no references.

Layer 2, no IO. The keywords mean what JSON Schema 2020-12 says. A value is judged in time that grows with its size alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from connform.manifest.compiled import compile_predicate
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema

if TYPE_CHECKING:
    from connform.manifest.pattern import Meter

MAX_DEPTH = 8
"""How many schemas may be nested, the outermost included."""

_NAME = "body-schema"
_SCHEMA: Schema = {"$ref": f"#/definitions/{_NAME}"}
_TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"]
_COUNT: Schema = {"type": "integer", "minimum": 0}

_KEYWORDS: dict[str, Schema] = {
    "type": {
        "if": {"type": "array"},
        "then": {"items": {"enum": _TYPES}, "minItems": 1, "uniqueItems": True},
        "else": {"enum": _TYPES},
        "description": "The type, or a list of types. 1.0 is an integer.",
    },
    "const": {"description": "The one value."},
    "enum": {"type": "array", "minItems": 1, "description": "The values, one of which it is."},
    "required": {
        "type": "array",
        "items": {"type": "string"},
        "uniqueItems": True,
        "description": "The keys that an object has.",
    },
    "properties": {
        "type": "object",
        "additionalProperties": _SCHEMA,
        "description": "Schemas by key, for the values of the keys that an object has; `required` demands a key.",
    },
    "items": {**_SCHEMA, "description": "The schema of each item of a list."},
    "minItems": {**_COUNT, "description": "The smallest number of items of a list."},
    "maxItems": {**_COUNT, "description": "The largest number of items of a list."},
    "pattern": {
        "type": "string",
        "description": "A regular expression for texts as Python's `re.search` reads it, without back-references and looking behind.",
    },
}
"""Every keyword, and the schema of its value."""
BODY_SCHEMA: Schema = {
    "minProperties": 1,
    "description": f"A JSON Schema of the closed list of keywords, at most {MAX_DEPTH} schemas deep.",
    "x-compare": "json",
    "x-definition": {
        _NAME: {
            "type": "object",
            "title": "Schema of a body",
            "description": "A JSON Schema of a closed list of keywords.",
            "properties": _KEYWORDS,
            "additionalProperties": False,
        }
    },
}
"""The JSON Schema of a value that is such a schema; what it doesn't say is found by `schema_findings`."""


def schema_findings(schema: Mapping[str, Any], path: KeyPath, depth: int = 1) -> Iterator[Finding]:
    """Yield what `BODY_SCHEMA` doesn't say of a schema, which stands at a path: nested too deeply, unusable patterns."""
    if depth > MAX_DEPTH:
        yield Finding("malformed-value", path, f"at most {MAX_DEPTH} schemas may be nested")
        return
    if "pattern" in schema:
        from connform.manifest.pattern import Meter, Pattern, UnusablePatternError  # imported here for start-up

        try:
            Pattern(schema["pattern"], Meter())
        except UnusablePatternError as error:
            yield Finding("malformed-value", (*path, "pattern"), str(error))
    for key, part in schema.get("properties", {}).items():
        yield from schema_findings(part, (*path, "properties", key), depth + 1)
    if "items" in schema:
        yield from schema_findings(schema["items"], (*path, "items"), depth + 1)


def matches(schema: Mapping[str, Any], value: Any, meter: Meter | None = None) -> bool:
    """Whether a JSON value matches a schema without findings; the meter counts the steps of its patterns, by default of this value alone."""
    return compile_body(schema)(value, meter)


def compile_body(schema: Mapping[str, Any]) -> Callable[[Any, Meter | None], bool]:
    """Return `matches` for a schema; it is compiled once, unless it has patterns, whose steps are counted for each value."""
    if _has_pattern(schema):
        return partial(_matches_patterns, schema)
    predicate = compile_predicate(dict(schema))

    def fits(value: Any, _meter: Meter | None) -> bool:
        try:
            return predicate(value)
        except RecursionError:  # deeper than any `const` or `enum`
            return False

    return fits


def _matches_patterns(schema: Mapping[str, Any], value: Any, meter: Meter | None) -> bool:
    from connform.manifest.pattern import Meter, TooManyStepsError

    try:
        return compile_predicate(_with_patterns(schema, meter or Meter()))(value)
    except (TooManyStepsError, RecursionError):  # too much text for a pattern; deeper than any `const` or `enum`
        return False


def _has_pattern(schema: Mapping[str, Any]) -> bool:
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return "pattern" in schema or any(map(_has_pattern, parts))


def _with_patterns(schema: Mapping[str, Any], meter: Meter) -> Schema:
    """Return a copy whose patterns are searched in linear time."""
    from connform.manifest.pattern import Pattern

    copy = dict(schema)
    if "pattern" in copy:
        copy["pattern"] = Pattern(copy["pattern"], meter)
    if "properties" in copy:
        copy["properties"] = {key: _with_patterns(part, meter) for key, part in copy["properties"].items()}
    if "items" in copy:
        copy["items"] = _with_patterns(copy["items"], meter)
    return copy
