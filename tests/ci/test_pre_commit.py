"""The hooks, run by pre-commit itself: it builds their environment from this project, as it does for every user."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.ci.conftest import BAD, GOOD, IDENTITY, commit_all, git
from tests.conftest import require_peer
from tests.end_to_end.running import Run, run_program

pytestmark = pytest.mark.timeout(110)  # pip builds and installs

CONFIG = """\
repos:
  - repo: {project}
    rev: {commit}
    hooks: {hooks}
"""
POLICY = "version: 1\npolicies:\n  owner-missing: {message: an owner is missing, schema: {required: [owner]}}\n"
UNTIDY = GOOD.replace("environment: sandbox", "environment:   sandbox")


@pytest.fixture(scope="module")
def environment(offline_pip: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pre-commit needs; the hooks' environment is built once, and kept in a folder of its own."""
    return {**IDENTITY, **offline_pip, "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit"))}


@pytest.fixture
def repository(tmp_path: Path, project: Path) -> Path:
    """A repository that uses the hooks."""
    folder = tmp_path / "repository"
    folder.mkdir()
    commit = git(project, "rev-parse", "HEAD").out.strip()
    hooks = [{"id": one["id"]} for one in yaml.safe_load((project / ".pre-commit-hooks.yaml").read_text())]
    config = CONFIG.format(project=project, commit=commit, hooks=json.dumps(hooks))
    (folder / ".pre-commit-config.yaml").write_text(config)
    (folder / "README.md").write_text("Acme\n")
    commit_all(folder)
    return folder


def pre_commit(folder: Path, environment: Mapping[str, str], *arguments: str | Path) -> Run:
    return run_program(require_peer("pre-commit"), *arguments, "--color=never", cwd=folder, env=environment)


def stage(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    git(folder, "add", name)
    return file


def test_pre_commit_accepts_the_file(project: Path) -> None:
    ended = run_program(require_peer("pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml", cwd=project)
    assert (ended.code, ended.out) == (0, "")


def test_the_bad_manifests_of_every_root_are_found(repository: Path, environment: Mapping[str, str]) -> None:
    stage(repository, "connections/good.yaml", GOOD)
    stage(repository, "connections/bad.yaml", BAD)
    for place in ("envs/us", "envs/eu"):  # each root is a run by itself: the same names stand in several
        stage(repository, f"{place}/connections.yaml", GOOD)
    stage(repository, "envs/prod/connections.yaml", BAD)
    stage(repository, "teams/a/connections/x.yaml", GOOD)
    stage(repository, "teams/a/policies/owner.yaml", POLICY)
    ended = pre_commit(repository, environment, "run", "--all-files")
    assert ended.code == 1, ended.err
    assert "connform validate........................................................Failed" in ended.out
    assert "connections/bad.yaml:5:13: error[unknown-region]" in ended.out
    assert "2 connections in 2 files: 1 error" in ended.out
    assert "envs/prod/connections.yaml:5:13: error[unknown-region]" in ended.out
    assert "teams/a/connections/x.yaml:3:3: error[owner-missing]" in ended.out
    assert ended.out.count("1 connection in 1 file: no errors") == 2
    assert "connform fmt.............................................................Passed" in ended.out


def test_a_good_manifest_can_be_committed_and_a_bad_one_not(repository: Path, environment: Mapping[str, str]) -> None:
    commit = ("commit", "--quiet", "--message", "Connections")
    assert pre_commit(repository, environment, "install").code == 0
    stage(repository, "connections.yaml", GOOD)
    assert run_program("git", *commit, cwd=repository, env=environment).code == 0
    stage(repository, "connections.yaml", BAD)
    refused = run_program("git", *commit, cwd=repository, env=environment)
    assert refused.code == 1
    assert "connections.yaml:5:13: error[unknown-region]" in refused.out + refused.err


def test_the_template_of_another_file_is_found_although_that_file_did_not_change(
    repository: Path, environment: Mapping[str, str]
) -> None:
    portal = "version: 1\ntemplates:\n  portal: {environment: sandbox, region: us}\nconnections: {}\n"
    stage(repository, "connections/portal.yaml", portal)
    commit_all(repository)
    auth = "auth: {method: api_key, api_key: env://ACME_KEY}"
    stage(repository, "connections/acme.yaml", f"version: 1\nconnections:\n  acme: {{extends: portal, {auth}}}\n")
    assert pre_commit(repository, environment, "run", "connform-validate").code == 0


def test_an_untidy_manifest_is_laid_out_and_must_be_added_again(
    repository: Path, environment: Mapping[str, str]
) -> None:
    file = stage(repository, "connections.yaml", UNTIDY)
    ended = pre_commit(repository, environment, "run", "connform-fmt")
    assert (ended.code, file.read_text()) == (1, GOOD)
    assert "- files were modified by this hook" in ended.out
    git(repository, "add", "connections.yaml")
    assert pre_commit(repository, environment, "run", "connform-fmt").code == 0


def test_a_name_that_begins_with_a_hyphen_is_a_file(repository: Path, environment: Mapping[str, str]) -> None:
    files = [repository / folder / "connections.yaml" for folder in ("--output=planted", "--file=planted", "-fplanted")]
    for file in files:
        file.parent.mkdir()
        file.write_text(UNTIDY)
    git(repository, "add", "--all")
    ended = pre_commit(repository, environment, "run")
    assert "connform validate........................................................Passed" in ended.out
    assert (ended.code, [file.read_text() for file in files]) == (1, [GOOD] * len(files)), ended.out
    assert not [path for path in repository.iterdir() if path.name.startswith("planted")]


@pytest.mark.parametrize(
    ("name", "hooks"),
    [
        ("connections.yaml", {"validate", "fmt"}),
        ("connections.yml", {"validate", "fmt"}),
        ("team/connections.yaml", {"validate", "fmt"}),
        ("connections/acme.yaml", {"validate", "fmt"}),
        ("policies/acme.yaml", {"validate"}),
        ("README.md", set()),
        ("connections.yaml.example", set()),
        ("connections/acme.txt", set()),
        ("reconnections.yaml", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hook_runs_where_a_manifest_or_a_policy_changed(project: Path, name: str, hooks: set[str]) -> None:
    declared = yaml.safe_load((project / ".pre-commit-hooks.yaml").read_text())
    assert {one["id"].removeprefix("connform-") for one in declared if re.search(one["files"], name)} == hooks
