"""What a policy costs is bounded before and while it judges: nested schemas, references, patterns, lists, and all of them together."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connform.diagnostics import Diagnostic
from connform.engine.validate import validate
from connform.manifest import pattern
from connform.manifest.pattern import Meter, Pattern, UnusablePatternError
from connform.policies import judge

GOOD = '{environment: sandbox, region: us, owner: OWNER, tags: [a, b], auth: {method: api_key, api_key: "env://A"}}'


def judged(folder: Path, schema: Any, owner: str = "aaaa", count: int = 1) -> tuple[Diagnostic, ...]:
    (folder / "policies").mkdir()
    policies = {"version": 1, "policies": {"p": {"message": "m", "schema": schema}}}
    (folder / "policies" / "p.yaml").write_text(json.dumps(policies))
    connections = "".join(f"  c{number}: {GOOD.replace('OWNER', owner)}\n" for number in range(count))
    (folder / "connections.yaml").write_text(f"version: 1\nconnections:\n{connections}")
    return validate([str(folder / "connections.yaml")]).diagnostics


def nested(word: str, unevaluated: str, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {word: [schema, {}], unevaluated: {}}
    return schema


@pytest.mark.parametrize("word", ["anyOf", "oneOf", "allOf"])
@pytest.mark.parametrize("unevaluated", ["unevaluatedProperties", "unevaluatedItems"])
def test_schemas_that_double_at_each_level_are_refused_before_they_run(
    tmp_path: Path, word: str, unevaluated: str
) -> None:
    (found,) = judged(tmp_path, nested(word, unevaluated, 14))
    assert found.code == "invalid-policy"
    assert "10000 schemas are looked at" in found.detail


def test_few_levels_are_applied(tmp_path: Path) -> None:
    assert judged(tmp_path, nested("anyOf", "unevaluatedProperties", 4)) == ()


def test_references_that_double_at_each_level_are_refused(tmp_path: Path) -> None:
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(14)} | {"d14": {}}
    (found,) = judged(tmp_path, {"$ref": "#/$defs/d0", "$defs": definitions})
    assert (found.code, "10000 schemas" in found.detail) == ("invalid-policy", True)


EXPONENTIAL = (
    "(a+)+$",
    "^(a|a)*$",
    "(a|aa)+$",
    "(.*a){12}b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(a?){30}a{30}b",
    r"(\w|\d)+!",
)


@pytest.mark.parametrize("text", EXPONENTIAL)
def test_no_pattern_takes_longer_than_its_length_times_that_of_the_text(text: str) -> None:
    assert Pattern(text, Meter()).search("a" * 60 + "?") is False


def test_a_pattern_of_a_policy_is_searched_like_that(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, {"properties": {"owner": {"pattern": "(a+)+$"}}}, owner="a" * 60 + "-")
    assert (found.code, found.detail) == ("p", "`owner` does not satisfy `pattern: (a+)+$`")


def test_a_key_is_searched_like_that_where_a_policy_is_broken(tmp_path: Path) -> None:
    schema = {"patternProperties": {"(.+)+!": False, "^(own|e|r)+$": {"const": "b"}}, "additionalProperties": {}}
    (found,) = judged(tmp_path, schema)
    assert (found.code, found.detail) == ("p", "`owner` must be `b`")


def test_all_searches_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern, "MAX_STEPS", 1_000)
    (found,) = judged(tmp_path, {"properties": {"owner": {"pattern": "(a|b)*(a|c)*!"}}}, owner="ab" * 20, count=30)
    assert (found.code, "steps of patterns" in found.detail) == ("invalid-policy", True)


@pytest.mark.parametrize("text", [r"(a)\1", "(?<=a)b", "(?<!a)b", "(?>a+)b", "a*+b", "(a)?(?(1)b|c)"])
def test_what_needs_a_memory_is_refused(text: str) -> None:
    with pytest.raises(UnusablePatternError, match="not supported"):
        Pattern(text, Meter())


@pytest.mark.parametrize(
    "text", ["(a{1000}){1000}", "((a?){99}){99}", "(?:){4000000000}|a{9999}", "(" * 5000 + ")" * 5000]
)
def test_a_pattern_that_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(UnusablePatternError, match="too large"):
        Pattern(text, Meter())


ATOMS = (
    *(
        "a",
        "b",
        ".",
        "[ab]",
        "[^a]",
        r"\d",
        r"\w",
        "^",
        "$",
        r"\b",
        r"\B",
        "(?!a)",
        "(?=b)",
        "(a|b)",
        "(?:ab|a)",
        "(?i:A)",
    ),
    *(r"\n", r"\A", r"\Z", "(?s:.)", "(?m:^)", "(?m:$)", "()", "é"),
)
COUNTS = ("", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?", "{0}", "{0,2}")


def test_a_search_finds_what_python_finds() -> None:
    random = Random(1)
    for _ in range(2_000):
        parts = (f"(?:{random.choice(ATOMS)}){random.choice(COUNTS)}" for _ in range(random.randint(1, 5)))
        text = "".join(parts)
        if random.random() < 0.3:
            text = f"(?:{text})*{random.choice(ATOMS)}"
        searched = "".join(random.choice("abA1\n é") for _ in range(random.randint(0, 7)))
        assert Pattern(text, Meter()).search(searched) is (re.search(text, searched) is not None), (text, searched)


def test_a_large_enum_is_named_by_its_first_values(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, {"properties": {"owner": {"enum": [f"o{number}" for number in range(5_000)]}}})
    assert found.detail.endswith("`o19` or one of 4980 more")


def test_many_policies_of_many_connections_are_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "MAX_COMPARISONS", 1_000)
    (found,) = judged(tmp_path, {"allOf": [{"required": ["owner"]}] * 50}, count=30)
    assert (found.code, "1,000 comparisons" in found.detail) == ("invalid-policy", True)


def test_breaches_beyond_what_is_looked_at_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "MAX_BREACH_COMPARISONS", 10)
    found = judged(tmp_path, {"required": ["description"]}, count=30)
    assert [(one.code, one.number) for one in found if one.number > 1] == [("more-errors", 20)]
    assert sum(one.number for one in found) == 30
