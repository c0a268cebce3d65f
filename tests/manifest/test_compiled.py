"""The compiled predicate accepts what the `jsonschema` library accepts, keyword by keyword, value by value."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.manifest.compiled import compile_predicate

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 10, 0.0, 1.0, 1.5, 2.0, 1e300, 10**30),
    *("", "a", "b", "ab", "abc", "A", "1", "a\n", "é", "\U0001f642", "\U0001f642\U0001f642", "true"),
    *(
        [],
        [1],
        [1, 1],
        [1, 1.0],
        [1, True],
        [0, False],
        ["a"],
        ["a", "a"],
        ["a", "b"],
        [[1], [1]],
        [{"a": 1}, {"a": 1}],
        [None],
    ),
    *(
        {},
        {"a": 1},
        {"a": "x"},
        {"b": 1},
        {"a": 1, "b": 2},
        {"a": None},
        {"": 1},
        {"A": 1},
        {"a": {"b": 1}},
        {"a": {"b": "x"}},
    ),
)
SCHEMAS: tuple[dict[str, Any], ...] = (
    {},
    *({"type": name} for name in ("object", "array", "string", "boolean", "null", "number", "integer")),
    {"type": ["string", "null"]},
    {"type": ["integer", "array"]},
    *({"enum": allowed} for allowed in (["a", "b"], ["a", 1], [True], [0], [None], [[1]], [{"a": 1}], [1.0])),
    *({"const": one} for one in (1, 1.0, True, False, 0, "a", None, [], {}, [1], {"a": 1})),
    *({"pattern": pattern} for pattern in (r"^a", r"a$", r"^a(?!\n)$", r"b", r"^[a-z]+(?!\n)$")),
    *({"minLength": 1}, {"minLength": 2}, {"maxLength": 1}, {"minLength": 1, "maxLength": 2}),
    *({"minItems": 1}, {"maxItems": 1}, {"uniqueItems": True}, {"uniqueItems": False}, {"items": {"type": "string"}}),
    *({"minimum": 1}, {"maximum": 1}, {"exclusiveMinimum": 1}, {"exclusiveMinimum": 0, "maximum": 1.5}),
    *(
        {"minProperties": 1},
        {"maxProperties": 1},
        {"required": ["a"]},
        {"required": ["a", "b"]},
        {"propertyNames": {"pattern": "^[a-z]+$"}},
    ),
    {"properties": {"a": {"type": "integer"}}},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"properties": {"a": {"properties": {"b": {"type": "integer"}}}}, "additionalProperties": {"type": "integer"}},
    {
        "type": "object",
        "properties": {"a": {}},
        "required": ["a"],
        "additionalProperties": False,
        "description": "x",
        "x-code": "y",
    },
    {"anyOf": [{"type": "string"}, {"minimum": 1}]},
    {"type": "array", "contains": {"const": 1}},
    {"properties": {"a": {"not": {"type": "string"}}}},
    {"properties": {"a": False, "b": True}},
    {"not": {}},
    {"const": [True]},
    {"enum": [[1], {"a": True}]},
    {"allOf": [{"type": "string"}, {"minLength": 2}, True]},
    {"anyOf": [{"required": ["a"]}, {"required": ["b"]}, False]},
    {"oneOf": [{"type": "integer"}, {"minimum": 1}]},
    {"contains": {"type": "string"}, "minItems": 2},
    {"contains": {"const": 1}, "minContains": 0},
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
    {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "array"}},
    {"if": {"type": "string"}, "else": {"type": "array"}},
    {"if": {"type": "string"}},
    {"then": {"type": "string"}},
    {"type": "object", "unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}]},
    {"patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": False},
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_gate_and_library_agree(schema: dict[str, Any]) -> None:
    accepts, library = compile_predicate(schema), Draft202012Validator(schema)
    disagreed = [value for value in VALUES if accepts(value) is not library.is_valid(value)]
    assert disagreed == []


def test_only_what_an_object_has_is_compiled() -> None:
    compiled_when_met = {"properties": {"a": {"type": "integer"}, "b": {"pattern": "("}}}
    accepts = compile_predicate(compiled_when_met)
    assert accepts({"a": 1})
    with pytest.raises(re.error):
        accepts({"b": "x"})
