"""Schemas of bodies: what they may say, and that they mean what JSON Schema 2020-12 says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connform.manifest.compiled import compile_predicate
from connform.manifest.pattern import Meter, Pattern
from connform.manifest.violations import compile_finder
from connform.providers import body_schema
from connform.providers.body_sample import sample
from connform.providers.body_schema import BODY_SCHEMA, MAX_DEPTH, matches, schema_findings

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.0, 1.0, 1.5, -0.0, 1e300, 10**30, 2**53 + 1, float(2**53)]),
    st.text("ab1é\n\U0001f642", max_size=3),
)
SIMPLE: tuple[Any, ...] = (None, True, 0, "", [], {})
KEYS = st.sampled_from(["a", "b", "", "type"])
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=3), max_leaves=8
)
TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"]
COUNTS = st.integers(0, 3)
PATTERNS = ["^a", "a$", "b", "^[a-z]+$", "^(a|b)*$", "^(?:[a-z]{2})+$", "", r"\d", "a(?!b)"]
KEYWORDS = {
    "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
    "const": VALUES,
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "required": st.lists(KEYS, max_size=2, unique=True),
    "minItems": COUNTS,
    "maxItems": COUNTS,
    "pattern": st.sampled_from(PATTERNS),
}
FLAT = st.fixed_dictionaries({}, optional=KEYWORDS)
SCHEMAS = st.recursive(
    FLAT,
    lambda part: st.fixed_dictionaries(
        {}, optional={**KEYWORDS, "properties": st.dictionaries(KEYS, part, max_size=2), "items": part}
    ),
    max_leaves=4,
)


def nested(depth: int, innermost: dict[str, Any]) -> dict[str, Any]:
    """Return schemas that lie in each other, so many with the innermost."""
    for level in range(depth - 1):
        innermost = {"items": innermost} if level % 2 else {"properties": {"a": innermost}}
    return innermost


@settings(max_examples=500, deadline=None)
@given(SCHEMAS, VALUES)
def test_it_means_what_the_library_says(schema: dict[str, Any], value: Any) -> None:
    assert list(schema_findings(schema, ())) == []
    assert matches(schema, value) is Draft202012Validator(schema).is_valid(value)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS)
def test_a_sample_is_accepted_where_any_simple_value_is(schema: dict[str, Any]) -> None:
    value = sample(schema)
    assert matches(schema, value) or not any(matches(schema, value) for value in SIMPLE)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"required": ["id"], "properties": {"id": {"pattern": "^[0-9a-f]{2}-[A-Z]+$"}}}, {"id": "aa-A"}),
        ({"minItems": 2, "items": {"type": "boolean"}}, [True, True]),
        ({"type": "string", "pattern": r"\bid_(x|y)"}, "id_x"),
        ({"const": {"a": [1]}, "type": "object"}, {"a": [1]}),
        ({"enum": ["", "a"], "pattern": "a"}, "a"),
        ({"type": ["null", "string"], "pattern": "(?=b)a"}, None),
        ({"type": ["string"], "pattern": "(?=b)a"}, None),  # nothing fits
    ],
    ids=str,
)
def test_samples(schema: dict[str, Any], value: Any) -> None:
    assert sample(schema) == value


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ({}, ["minProperties"]),
        ([], ["type"]),
        (True, ["type"]),
        ({"requierd": ["id"]}, ["additionalProperties"]),
        ({"$ref": "#"}, ["additionalProperties"]),
        ({"properties": {"a": {"minimum": 1}}}, ["additionalProperties"]),
        ({"properties": {"a": True}}, ["type"]),
        ({"items": [{}]}, ["type"]),
        ({"type": "text"}, ["enum"]),
        ({"type": []}, ["minItems"]),
        ({"enum": []}, ["minItems"]),
        ({"required": ["a", "a"]}, ["uniqueItems"]),
        ({"minItems": -1, "pattern": 1}, ["minimum", "type"]),
        ({"const": None}, []),
        ({"type": "object", "properties": {"type": {}, "const": {"items": {}}}}, []),
    ],
    ids=str,
)
def test_what_the_declaration_says(schema: Any, wrong: list[str]) -> None:
    assert compile_predicate(BODY_SCHEMA)(schema) is (wrong == [])
    assert [violation.keyword for violation in compile_finder(BODY_SCHEMA)(schema, ())] == wrong


def test_eight_schemas_may_be_nested() -> None:
    assert list(schema_findings(nested(MAX_DEPTH, {"type": "string"}), ("body",))) == []
    (finding,) = schema_findings(nested(MAX_DEPTH + 1, {"type": "string"}), ("body",))
    assert finding.code == "malformed-value"
    assert len([part for part in finding.path if part in ("properties", "items")]) == MAX_DEPTH


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?<=a)b", "a{3000}{3000}"])
def test_an_unusable_pattern_is_found_where_it_stands(pattern: str) -> None:
    schema = {"properties": {"a": {"items": {"pattern": pattern}}}}
    (finding,) = schema_findings(schema, ("expect", "body"))
    assert finding.code == "malformed-value"
    assert finding.path == ("expect", "body", "properties", "a", "items", "pattern")
    assert finding.detail


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){12}$"])
def test_a_hostile_pattern_takes_no_longer_than_the_body_is(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    class Counted(Meter):
        def step(self) -> None:
            steps.append(1)
            super().step()

    monkeypatch.setattr("connform.manifest.pattern.Meter", Counted)
    assert matches({"items": {"pattern": pattern}}, ["a" * 4_000 + "!"]) is False
    assert len(steps) <= 100 * 4_000


def test_too_much_text_for_a_pattern_does_not_match(monkeypatch: pytest.MonkeyPatch) -> None:
    assert matches({"pattern": "(b|a+)+$"}, "a" * 100) is True
    monkeypatch.setattr("connform.manifest.pattern.MAX_STEPS", 50)
    assert matches({"pattern": "(b|a+)+$"}, "a" * 100) is False


@pytest.mark.parametrize("schema", [{"const": []}, {"enum": [{}, []]}, {"items": {"const": 1}}])
def test_a_deep_body_matches_no_shallow_value(schema: dict[str, Any]) -> None:
    value: Any = []
    for _ in range(20_000):
        value = [value]
    assert matches(schema, value) is False
    assert matches({"type": "array"}, value) is True


def test_patterns_are_searched_by_our_own_engine() -> None:
    patterns = body_schema._with_patterns({"items": {"properties": {"a": {"pattern": "a+"}}}}, Meter())
    assert isinstance(patterns["items"]["properties"]["a"]["pattern"], Pattern)
