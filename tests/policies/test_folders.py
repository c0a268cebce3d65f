"""A `policies` that is there is applied or an error, and a run says how many policies it applied."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from connform.cli.main import main
from connform.engine.validate import validate

MANIFEST = """\
version: 1
connections:
  acme: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}}
"""
OWNER = "version: 1\npolicies:\n  owner-missing: {message: an owner is missing, schema: {required: [owner]}}\n"

UNREADABLE = {
    "empty, as a submodule that was not checked out": ("mkdir policies", "git submodule update --init"),
    "a link that leads nowhere": ("ln -s ../nowhere policies", "the link leads nowhere"),
    "a link to itself": ("ln -s policies policies", "the link leads nowhere"),
    "a file": ("cp owner policies", "this is a file"),
    "one folder deeper": ("mkdir -p policies/team && cp owner policies/team/x.yaml", "--policy policies/team"),
    "two folders deeper": ("mkdir -p policies/a/b && cp owner policies/a/b/x.yaml", "--policy policies/a"),
    "in capitals": ("mkdir policies && cp owner policies/owner.YAML", "`owner.YAML` is not read"),
    "another one in capitals": (
        "mkdir policies && cp owner policies/owner.yaml && cp owner policies/b.YML",
        "`b.YML` is not read",
    ),
    "something else": ("mkdir policies && cp owner policies/x.rego", "it holds no *.yaml and no *.yml file"),
    "a file that is a link to nowhere": ("mkdir policies && ln -s nowhere policies/x.yaml", "the link leads nowhere"),
    "a file without a policy": (
        "mkdir policies && printf 'version: 1\\npolicies: {}\\n' >policies/x.yaml",
        "it declares no policy",
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest, and a policy in a file of no meaning."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "connections.yaml").write_text(MANIFEST)
    (tmp_path / "repository" / "owner").write_text(OWNER)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


def sh(script: str) -> None:
    subprocess.run(["sh", "-euc", script], check=True)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_policies_that_yield_no_policy_are_an_error(kind: str) -> None:
    script, said = UNREADABLE[kind]
    sh(script)
    report = validate()
    found = [one for one in report.diagnostics if one.code == "policy-unreadable"]
    assert (report.exit_code, len(found)) == (1, 1), report.diagnostics
    assert said in found[0].detail


def test_a_folder_that_this_user_may_not_list_is_an_error(folder: Path) -> None:
    if not os.geteuid():
        pytest.skip("root may read everything")
    (folder / "policies").mkdir(0o000)
    assert [one.code for one in validate().diagnostics] == ["policy-unreadable"]


@pytest.mark.parametrize("named", ["policies/team", "policies/team/x.yaml"])
def test_a_folder_below_that_is_named_is_no_error(named: str) -> None:
    sh(UNREADABLE["one folder deeper"][0])
    assert [one.code for one in validate(policies=[named]).diagnostics] == ["owner-missing"]


def test_an_empty_folder_is_one_error_though_it_is_named_as_well() -> None:
    sh("mkdir policies")
    assert [one.code for one in validate(policies=["policies"]).diagnostics] == ["policy-unreadable"]


def test_a_policy_in_capitals_in_a_folder_that_is_named_is_an_error() -> None:
    sh("mkdir named && cp owner named/owner.yaml && cp owner named/b.YML")
    assert [one.code for one in validate(policies=["named"]).diagnostics] == ["owner-missing", "policy-unreadable"]


@pytest.mark.parametrize("files", [(), ("connections",), ("./connections/",), ("connections/a.yaml",)])
def test_policies_beside_the_folder_of_connections_judge_them(files: tuple[str, ...]) -> None:
    sh("mkdir policies connections && cp owner policies/x.yaml && mv connections.yaml connections/a.yaml")
    report = validate(files)
    assert ([one.code for one in report.diagnostics], report.policy_count) == (["owner-missing"], 1)


def test_policies_beside_the_folder_judge_from_inside_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sh("mkdir policies connections && cp owner policies/x.yaml && mv connections.yaml connections/a.yaml")
    monkeypatch.chdir(folder / "connections")
    assert [one.code for one in validate(["a.yaml"]).diagnostics] == ["owner-missing"]


def test_policies_beside_another_folder_belong_to_others() -> None:
    sh("mkdir policies envs && cp owner policies/x.yaml && mv connections.yaml envs/a.yaml")
    report = validate(["envs"])
    assert (report.diagnostics, report.policy_count) == ((), 0)


def test_the_summary_counts_policies(capsys: pytest.CaptureFixture[str]) -> None:
    sh("mkdir policies && cp owner policies/x.yaml && sed -i 's/region: us/region: us, owner: a@b/' connections.yaml")
    assert main(["validate"]) == 0
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "1 connection in 1 file, 1 policy: no errors\n" in out
    assert out.endswith("1 connection in 1 file, 1 policy\n")
