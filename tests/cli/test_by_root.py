"""`validate --by-root`, which hooks run: what each changed file belongs to is checked, and nothing is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ci.conftest import BAD, GOOD
from tests.cli.conftest import Connform

POLICY = "version: 1\npolicies:\n  owner-missing: {message: an owner is missing, schema: {required: [owner]}}\n"
FILES = {
    "connections.yaml": GOOD,
    "connections/a.yaml": BAD,
    "envs/prod/connections.yaml": BAD,
    "envs/dev/connections.yml": GOOD,
    "team/connections/a.yaml": GOOD.replace("sandbox-us", "a"),
    "team/connections/b.yaml": BAD,
    "team/policies/owner.yaml": POLICY,
    "one/connections.yaml": GOOD,
    "one/policies/owner.yaml": POLICY,
    "inner/connections/a.yaml": GOOD,
    "inner/connections/policies/owner.yaml": POLICY,
    "other/policies/owner.yaml": POLICY,
    "--output=x/connections.yaml": GOOD,
}


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


OK = "1 connection in 1 file: no errors\n"
CASES = {
    "a manifest at the root": (["--", "connections.yaml"], 0, OK, 1),
    "a folder beside it": (["--", "connections/a.yaml"], 1, "1 connection in 1 file: 1 error", 1),
    "a manifest in a monorepo": (["--", "envs/prod/connections.yaml"], 1, "envs/prod/connections.yaml:5:13: error", 1),
    "several roots with the same names": (["--", "connections.yaml", "envs/dev/connections.yml"], 0, OK, 2),
    "the folder as a whole": (["--", "team/connections/a.yaml"], 1, "2 connections in 2 files, 1 policy: 2 errors", 1),
    "a folder once": (["--", "team/connections/a.yaml", "team/connections/b.yaml"], 1, "in 2 files", 1),
    "policies beside a folder": (["--", "team/policies/owner.yaml"], 1, "team/connections/b.yaml:5:13: error", 1),
    "policies beside a manifest": (["--", "one/policies/owner.yaml"], 1, "error[owner-missing]", 1),
    "policies in the folder": (["--", "inner/connections/policies/owner.yaml"], 1, "error[owner-missing]", 1),
    "named ones together, and no file of them twice": (
        ["-f", "envs/dev/connections.yml", "-f", "team/connections", "--", "team/connections/a.yaml"],
        1,
        "3 connections in 3 files",
        1,
    ),
    "a file that the named ones don't hold": (
        ["-f", "connections.yaml", "--", "envs/prod/connections.yaml"],
        1,
        "envs/prod/connections.yaml:5:13: error",
        2,
    ),
    "a folder in a named one, which reads its own files only": (
        ["-f", "one", "--", "team/connections/a.yaml", "connections/a.yaml"],
        1,
        "team/connections/b.yaml:5:13: error",
        3,
    ),
    "a folder below a named one": (
        ["-f", "envs/prod", "-f", ".", "--", "connections/a.yaml"],
        1,
        "connections/a.yaml:5:13",
        2,
    ),
    "policies that are named": (
        ["--policy", "other/policies", "--", "other/policies/owner.yaml"],
        1,
        "owner-missing",
        1,
    ),
    "no file": ([], 0, OK, 1),
    "a name that looks like an option": (["--", "--output=x/connections.yaml"], 0, OK, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_what_changed_files_belong_to_is_checked(case: str, connform: Connform) -> None:
    argv, code, said, reports = CASES[case]
    run = connform("validate", "--by-root", *argv)
    assert (run.code, run.err) == (code, "")
    assert said in run.out
    assert run.out.count(" in 1 file") + run.out.count(" files") == reports


def test_policies_that_belong_to_no_manifest_are_an_error(connform: Connform) -> None:
    run = connform("validate", "--by-root", "--", "other/policies/owner.yaml")
    assert (run.code, run.out) == (64, "")
    assert "no manifest lies beside this folder of policies" in run.err


@pytest.mark.parametrize("flags", [["--output", "x"], ["--format", "sarif=x"]])
def test_reports_don_t_replace_each_other(flags: list[str], connform: Connform) -> None:
    assert connform("validate", "--by-root", *flags, "--", "connections.yaml").code == 64
    assert not Path("x").exists()
