"""Policy files that can't be applied: what is said, and where; and which files are read for which connections."""

from __future__ import annotations

import io
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connform.diagnostics import Diagnostic
from connform.engine.validate import validate
from connform.manifest.files import Source
from connform.policies.expand import MAX_DEPTH, MAX_SCHEMAS
from connform.policies.file import read_policies
from connform.policies.keywords import policy_schema

CONNECTION = "environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}"
BROKEN = {
    "not-yaml": ("version: 1\npolicies: [\n", "yaml-syntax 2:11"),
    "empty": ("# nothing\n", "invalid-policy 1:1"),
    "twice-in-a-file": (
        "version: 1\npolicies:\n  a: {message: m, schema: {}}\n  a: {message: m, schema: {}}\n",
        "duplicate-key 4:3",
    ),
    "another-version": ("version: 2\npolicies: {}\n", "unknown-value 1:10"),
    "no-policies": ("version: 1\n", "missing-key 1:1"),
    "not-kebab-case": ("version: 1\npolicies:\n  Owner_missing: {message: m, schema: {}}\n", "bad-name 3:3"),
    "a-code-of-ours": ("version: 1\npolicies:\n  unknown-key: {message: m, schema: {}}\n", "invalid-policy 3:3"),
    "no-message": ("version: 1\npolicies:\n  a: {schema: {}}\n", "missing-key 3:3"),
    "no-schema": ("version: 1\npolicies:\n  a: {message: m}\n", "missing-key 3:3"),
    "severity-unknown": (
        "version: 1\npolicies:\n  a: {message: m, severity: eror, schema: {}}\n",
        "unknown-value 3:29 = did you mean `error`?",
    ),
    "schema-is-no-schema": ("version: 1\npolicies:\n  a: {message: m, schema: []}\n", "wrong-type 3:19"),
    "keyword-misspelt": (
        "version: 1\npolicies:\n  a:\n    message: m\n    schema:\n      propertis: {}\n",
        "unknown-key 6:7 = did you mean `properties`?",
    ),
    "keyword-misspelt-below": (
        "version: 1\npolicies:\n  a:\n    message: m\n    schema:\n      if:\n        requird: [owner]\n",
        "unknown-key 7:9 = did you mean `required`?",
    ),
    "keyword-that-refuses-nothing": (
        "version: 1\npolicies:\n  a:\n    message: m\n    schema: {properties: {owner: {format: email}}}\n",
        "unknown-key 5:35",
    ),
    "keyword-with-a-wrong-value": (
        "version: 1\npolicies:\n  a:\n    message: m\n    schema: {properties: {tags: {minItems: -1}}}\n",
        "out-of-range 5:44",
    ),
    "type-unknown": (
        "version: 1\npolicies:\n  a: {message: m, schema: {type: strng}}\n",
        "unknown-value 3:34 = did you mean `string`?",
    ),
    "pattern-is-none": (
        "version: 1\npolicies:\n  a:\n    message: m\n    schema: {properties: {owner: {pattern: '('}}}\n",
        "invalid-policy 5:44",
    ),
    "pattern-of-keys-is-none": (
        "version: 1\npolicies:\n  a:\n    message: m\n    schema: {patternProperties: {'[': {}}}\n",
        "invalid-policy 5:34",
    ),
    "pattern-too-large": (
        "version: 1\npolicies:\n  a: {message: m, schema: {pattern: 'a{99999999999}'}}\n",
        "invalid-policy 3:37",
    ),
    "reference-to-nothing": (
        "version: 1\npolicies:\n  a: {message: m, schema: {$ref: '#/$defs/onwer', $defs: {owner: {}}}}\n",
        "invalid-policy 3:34 = did you mean `#/$defs/owner`?",
    ),
    "reference-into-the-net": (
        "version: 1\npolicies:\n  a: {message: m, schema: {$ref: 'https://acme.example/s.json'}}\n",
        "malformed-value 3:34",
    ),
    "reference-to-a-file": (
        "version: 1\npolicies:\n  a: {message: m, schema: {$ref: other.yaml}}\n",
        "malformed-value 3:34",
    ),
    "reference-to-itself": (
        "version: 1\npolicies:\n  a: {message: m, schema: {$ref: '#/$defs/x', $defs: {x: {not: {$ref: '#/$defs/x'}}}}}\n",
        "invalid-policy 3:71",
    ),
    "identifier": (
        "version: 1\npolicies:\n  a: {message: m, schema: {$id: 'https://acme.example/'}}\n",
        "unknown-key 3:28",
    ),
    "dialect": (
        "version: 1\npolicies:\n  a: {message: m, schema: {$schema: 'http://json-schema.org/draft-07/schema#'}}\n",
        "unknown-value 3:37",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_policy_file_is_refused_at_its_place(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    manifest, policy = tmp_path / "m.yaml", tmp_path / "p.yaml"
    manifest.write_text(f"version: 1\nconnections:\n  a: {{{CONNECTION}}}\n")
    policy.write_text(text)
    report = validate([str(manifest)], policies=[str(policy)])
    assert [_line(one) for one in report.diagnostics] == [expected]
    assert report.exit_code == 1
    assert {one.span.file for one in report.diagnostics} == {str(policy)}


def _line(one: Diagnostic) -> str:
    return f"{one.code} {one.span.line}:{one.span.column}" + (f" = {one.hint}" if one.hint else "")


def _policy(schema: object) -> Source:
    return Source(
        "p.yaml", json.dumps({"version": 1, "policies": {"a": {"message": "m", "schema": schema}}}).encode(), ""
    )


def test_a_policy_that_multiplies_is_refused_before_it_takes_the_memory() -> None:
    names = [f"x{number}" for number in range(6)]
    defs = {name: {"allOf": [{"$ref": f"#/$defs/{below}"}] * 10} for name, below in pairwise(names)} | {names[-1]: {}}
    _, (problem,) = read_policies([_policy({"$ref": "#/$defs/x0", "$defs": defs})])
    assert (problem.code, str(MAX_SCHEMAS) in problem.detail) == ("invalid-policy", True)


def test_a_policy_that_is_too_deep_is_refused_not_recursed_into() -> None:
    names = [f"x{number}" for number in range(500)]
    defs = {name: {"not": {"$ref": f"#/$defs/{below}"}} for name, below in pairwise(names)}
    _, (problem,) = read_policies([_policy({"$ref": "#/$defs/x0", "$defs": defs | {names[-1]: {}}})])
    assert (problem.code, str(MAX_DEPTH) in problem.detail) == ("invalid-policy", True)
    nested: dict[str, object] = {}
    for _ in range(58):
        nested = {"not": nested}
    _, (problem,) = read_policies([_policy(nested)])
    assert (problem.code, str(MAX_DEPTH) in problem.detail) == ("invalid-policy", True)


def test_references_stand_for_what_they_name() -> None:
    schema = {
        "$defs": {"address": {"pattern": "@"}, "text": {"type": "string"}, "both": {"$ref": "#/$defs/address"}},
        "properties": {"owner": {"$ref": "#/$defs/text", "allOf": [{"$ref": "#/$defs/both"}], "minLength": 3}},
    }
    ((policy,), problems) = read_policies([_policy(schema)])
    assert problems == []
    assert "$ref" not in json.dumps(policy.schema)
    ours, library = Draft202012Validator(policy.schema), Draft202012Validator(schema)
    for owner in ("a@b", "@", "abc", 1, None):
        assert ours.is_valid({"owner": owner}) is library.is_valid({"owner": owner})


def test_a_message_is_one_line() -> None:
    source = Source(
        "p.yaml", b"version: 1\npolicies:\n  a:\n    message: |\n      one\n      two\n    schema: {}\n", ""
    )
    ((policy,), _) = read_policies([source])
    assert policy.message == "one two"


def test_the_schema_of_policy_files_is_one() -> None:
    Draft202012Validator.check_schema(policy_schema())


REFUSE_ALL = "version: 1\npolicies:\n  {code}: {{message: no connection at all, schema: false}}\n"
ACCEPT_ALL = "version: 1\npolicies:\n  open: {message: any connection, schema: {}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders with a manifest each, and one policy that refuses nothing beside one of them."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.yaml").write_text(f"version: 1\nconnections:\n  in-{name}: {{{CONNECTION}}}\n")
    (tmp_path / "a" / "policies").mkdir()
    (tmp_path / "a" / "policies" / "x.yaml").write_text(ACCEPT_ALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _found(*policies: str) -> list[tuple[str, str]]:
    report = validate(["a/m.yaml", "b"], policies=policies)
    return [(one.code, one.connection or one.span.file) for one in report.diagnostics]


def test_policies_beside_a_manifest_judge_the_connections_of_their_folder(folder: Path) -> None:
    (folder / "a/policies/y.yml").write_text(REFUSE_ALL.format(code="closed"))
    (folder / "a/policies/README.md").write_text("not a policy")
    assert _found() == [("closed", "in-a")]


def test_named_policies_judge_every_connection_also_those_that_lie_beside_one(folder: Path) -> None:
    (folder / "a/policies/x.yaml").write_text(REFUSE_ALL.format(code="closed"))
    assert _found("a/policies") == _found("a/policies/x.yaml", "a/policies") == [("closed", "in-a"), ("closed", "in-b")]


def test_one_folder_of_policies_may_lie_beside_several_manifests(folder: Path) -> None:
    (folder / "a/policies/x.yaml").write_text(REFUSE_ALL.format(code="closed"))
    (folder / "b/policies").symlink_to(folder / "a/policies")
    assert _found() == [("closed", "in-a"), ("closed", "in-b")]


def test_a_code_stands_once_over_all_files(folder: Path) -> None:
    (folder / "y.yaml").write_text(ACCEPT_ALL)
    (problem,) = validate(["a"], policies=["y.yaml"]).diagnostics
    assert (problem.code, problem.span.file, problem.related[0].span.file) == (
        "duplicate-name",
        "a/policies/x.yaml",
        "y.yaml",
    )


@pytest.mark.parametrize("path", ["missing.yaml", "b/empty"])
def test_a_policy_file_that_is_not_there_is_an_error(folder: Path, path: str) -> None:
    (folder / "b/empty").mkdir()
    assert _found(path) == [("policy-unreadable", path)]


def test_connections_from_standard_input_are_judged_by_the_folder_in_which_connform_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "a")
    (folder / "a/policies/x.yaml").write_text(REFUSE_ALL.format(code="closed"))
    text = (folder / "b/m.yaml").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert [one.code for one in validate(["-"]).diagnostics] == ["closed"]


def test_the_example_of_the_documentation_is_a_policy_file(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "guides" / "policies.md").read_text("utf-8")
    text = page.split("```yaml\n")[1].split("```")[0]
    ((policy,), problems) = read_policies([Source("p.yaml", text.encode(), "")])
    assert problems == []
    assert f"error[{policy.code}]: {policy.message}" in page
