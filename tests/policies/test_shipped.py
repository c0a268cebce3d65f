"""Each policy of `examples/policies/`: a manifest that it passes, and the exact places of what it refuses.

A case is `shipped/POLICY/NAME.yaml` with `NAME.expected` beside it: `code line:column`, then `also line:column` for a
second place in the manifest, and how many connections inherit the value. Empty: the policy has nothing to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.manifest.compiled import compile_predicate
from connform.manifest.files import Source
from connform.policies.file import read_policies
from tests.end_to_end.running import run_here as run

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"
SHIPPED = sorted(EXAMPLES.glob("*.yaml"))
CASES = sorted((Path(__file__).parent / "shipped").glob("*/*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_a_shipped_policy_finds_the_value_where_it_stands(case: Path) -> None:
    policy = EXAMPLES / f"{case.parent.name}.yaml"
    ended = run("validate", case.name, "--policy", policy, "--format", "json", cwd=case.parent)
    found = ended.report["diagnostics"]
    assert "".join(map(_line, found)) == case.with_suffix(".expected").read_text("utf-8")
    assert ended.code == (1 if found else 0)
    assert all(one["related"][-1]["file"] == str(policy) for one in found)


def _line(one: Mapping[str, Any]) -> str:
    also = "".join(f" also {other['line']}:{other['column']}" for other in one["related"][:-1])
    inherit = re.search(r" \(\d+ connections inherit this\)", one["detail"])
    return f"{one['code']} {one['line']}:{one['column']}{also}{inherit[0] if inherit else ''}\n"


def test_each_shipped_policy_has_a_case_of_each_kind() -> None:
    kinds = ("fails", "fails-through-a-template", "fails-through-defaults", "passes")
    found = {(case.parent.name, case.stem) for case in CASES}
    assert found == {(policy.stem, kind) for policy in SHIPPED for kind in kinds}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_gate_and_library_agree_on_a_shipped_policy(file: Path) -> None:
    ((policy,), problems) = read_policies([Source(file.name, file.read_bytes(), "")])
    assert problems == []
    assert policy.code == file.stem
    accepts, library = compile_predicate(policy.schema), Draft202012Validator(policy.schema)
    verdicts = {accepts(facts) for facts in _variants()}
    assert [facts for facts in _variants() if accepts(facts) is not library.is_valid(facts)] == []
    assert verdicts == {True, False}


def _variants() -> list[dict[str, Any]]:
    """Facts as connections have them, and facts that no connection has."""
    kinds: list[dict[str, Any]] = [
        {"tags": [], "owner": "a@b"},
        {"tags": ["eu-customer"], "region": "eu", "tls": {"ca_file": "x"}},
        {"tags": ["ci", "eu-customer"], "region": "us", "tls": {}, "owner": "a"},
        {"tags": "eu-customer", "region": None, "tls": [], "owner": 1},
    ]
    return [
        {"provider": provider, "secrets": {"api_key": {"backend": backend, "path": "x"}}, **environment, **kind}
        for provider in ("iinked-sign", "http", None)
        for backend in ("env", "vault", "file", 1)
        for environment in (
            {},
            *({"environment": one} for one in ("production", "sandbox", "private", None)),
            *({"class": one} for one in ("production", "test", None)),
        )
        for kind in kinds
    ]
