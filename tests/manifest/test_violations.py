"""The finder finds what the `jsonschema` library finds, keyword by keyword, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.manifest.violations import compile_finder, in_names
from connform.policies.keywords import policy_schema
from tests.manifest.test_compiled import SCHEMAS, VALUES

NESTED: tuple[dict[str, Any], ...] = (
    {"items": {"items": {"type": "integer"}, "uniqueItems": True}},
    {"properties": {"a": {"required": ["b", "c"], "additionalProperties": False}}, "required": ["z"]},
    {"propertyNames": {"minLength": 1, "pattern": "^a"}, "additionalProperties": {"type": "string"}},
    {"if": {"type": "array"}, "then": {"items": {"type": "string"}}, "else": {"type": "string"}},
    {"allOf": [{"type": "object"}, {"required": ["a"]}]},
    {"anyOf": [{"type": "string"}, {"required": ["a"]}], "not": {"type": "array"}},
    {"patternProperties": {"^a": {"type": "string"}}, "additionalProperties": False},  # by the library
    {
        "$ref": "#/$defs/tree",
        "$defs": {"tree": {"type": ["object", "integer"], "additionalProperties": {"$ref": "#/$defs/tree"}}},
    },
)
POLICIES = (
    {"version": 1, "policies": {}},
    {"version": 2, "polices": {"A": 1, "a": {}, "b": {"message": "", "schema": {"typ": 1}}}},
    {"policies": {"a": {"message": "m", "schema": {"properties": {"a": {"enum": []}, "b": {"type": ["text"]}}, "anyOf": [5]}}}},
)  # fmt: skip


def by_library(schema: dict[str, Any], value: object) -> Iterator[tuple[object, ...]]:
    for error in Draft202012Validator(schema).iter_errors(value):
        missing = (
            [key for key in error.validator_value if error.message.startswith(repr(key))]
            if error.validator == "required"
            else []
        )
        for wanted in missing or [error.validator_value]:
            yield tuple(error.absolute_path), error.validator, repr(wanted), repr(error.instance)


@pytest.mark.parametrize("number", range(len(SCHEMAS) + len(NESTED)))
def test_the_finder_finds_what_the_library_finds(number: int) -> None:
    schema = (*SCHEMAS, *NESTED)[number]
    find = compile_finder(schema)
    for value in VALUES:
        ours = [
            # the library loses the place of what `false` refuses
            (one.path if one.keyword else (), one.keyword or None, repr(one.expected), repr(one.value))
            for one in find(value, ())
        ]
        assert sorted(map(repr, ours)) == sorted(map(repr, by_library(schema, value))), value


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_file_is_refused_where_the_library_refuses_it(policy: dict[str, Any]) -> None:
    find = compile_finder(policy_schema())
    ours = {(one.path, one.keyword) for one in find(policy, ())}
    assert ours == {(path, word) for path, word, *_ in by_library(policy_schema(), policy)}


@pytest.mark.parametrize(
    ("steps", "is_name"),
    [
        (["propertyNames", "pattern"], True),
        (["properties", "a", "propertyNames", "pattern"], True),
        (["properties", "propertyNames", "type"], False),
        (["properties", "a", "type"], False),
    ],
)
def test_a_key_that_is_called_as_the_keyword_is_no_name(steps: list[str], *, is_name: bool) -> None:
    assert in_names(steps) is is_name
