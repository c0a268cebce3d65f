"""The CI files in `docs/guides/ci.md` are what the systems take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import connform
from tests.ci.conftest import ROOT
from tests.conftest import require_peer
from tests.end_to_end.running import run_program

PAGE = (ROOT / "docs/guides/ci.md").read_text("utf-8")
FILES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
"""Name → content of each example."""


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        (".github/workflows/connform.yml", "vendor.github-workflows"),
        (".gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_an_example_fits_the_systems_official_schema(name: str, schema: str, tmp_path: Path) -> None:
    checker = require_peer("check-jsonschema")
    (tmp_path / "ci.yml").write_text(FILES[name])
    ended = run_program(checker, "--builtin-schema", schema, "ci.yml", cwd=tmp_path)
    assert ended.code == 0, ended.out


@pytest.mark.parametrize(
    ("folder", "schema"),
    [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")],
    ids=["github", "gitlab"],
)
def test_a_recipe_fits_the_systems_official_schema(folder: str, schema: str) -> None:
    files = sorted((ROOT / "examples" / folder).iterdir())
    ended = run_program(require_peer("check-jsonschema"), "--builtin-schema", schema, *files, cwd=ROOT)
    assert ended.code == 0, ended.out


@pytest.mark.parametrize("file", sorted((ROOT / "examples" / "github").iterdir()), ids=lambda file: file.stem)
def test_a_job_of_a_recipe_has_the_permissions_that_the_page_names(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text("utf-8"))
    assert workflow["permissions"] == {}
    page = (ROOT / "docs" / "guides" / "pipeline.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z-]+: (?:read|write))`", page))
    for job in workflow["jobs"].values():
        assert {f"{what}: {how}" for what, how in job["permissions"].items()} <= named
        assert "timeout-minutes" in job
        has_checkout = any("actions/checkout" in step.get("uses", "") for step in job["steps"])
        writes = {what for what, how in job["permissions"].items() if how == "write"} - {"security-events"}
        assert not (has_checkout and writes), "what a manifest's author wrote meets no right to write"


def test_pre_commit_takes_the_example_and_its_hooks_exist(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(FILES[".pre-commit-config.yaml"])
    ended = run_program(require_peer("pre-commit"), "validate-config", "config.yaml", cwd=tmp_path)
    assert ended.code == 0, ended.out
    hooks = {hook["id"] for hook in loaded(".pre-commit-config.yaml")["repos"][0]["hooks"]}
    assert hooks == {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def test_the_inputs_of_the_action_and_the_template_are_those_that_the_page_names() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    (table,) = re.findall(r"\| input .*?\n\n", PAGE, re.DOTALL)
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(action["inputs"])
    template, _ = yaml.safe_load_all((ROOT / "templates/connform.yml").read_text("utf-8"))
    (listed,) = re.findall(r"^The inputs are (.*?), of which", PAGE, re.MULTILINE)
    assert re.findall(r"`([\w-]+)`", listed) == list(template["spec"]["inputs"])
    (table,) = re.findall(r"\| output .*?\n\n", PAGE, re.DOTALL)
    first_column = "".join(re.findall(r"(?m)^\| (.*?) \|", table))
    assert re.findall(r"`([a-z-]+)`", first_column) == list(action["outputs"])


def test_no_command_takes_a_package_from_an_index_by_a_name_that_is_not_ours() -> None:
    """Who registers a name there owns what installs it: commands name the team's own copy, and say so."""
    patterns = (
        "*.md",
        "*.yml",
        ".pre-commit-hooks.yaml",
        "docs/**/*.md",
        "examples/**/*.yml",
        "templates/*",
        "src/**/*.*",
    )
    files = [
        file for pattern in patterns for file in ROOT.glob(pattern) if file.suffix in {".md", ".yml", ".yaml", ".py"}
    ]
    lines = [line for file in files if file.name != "CHANGELOG.md" for line in file.read_text("utf-8").splitlines()]
    installing = [
        line for line in lines if re.search(r"\b(pip3?|pipx|uv|poetry)\b.*\b(install|run|add)\b|\buvx\b", line)
    ]
    assert len(installing) > 10
    commands = [
        re.sub(r" #.*|(connform\[[\w,$]+\] @ }?)?(git\+https://git\.acme\.example/\S*|\$INPUT_PACKAGE)", "", line)
        for line in installing
    ]
    assert [command for command in commands if re.search(r"(?<![\w/$])connform(?![\w/])", command)] == []
    ours = [line for line in lines if re.search(r"(uses|run|-|package|repo): .*acme.*/connform\b|install.*acme", line)]
    assert len(ours) > 5
    assert [line for line in ours if "# where your copy of" not in line and "# the same" not in line] == []


def test_a_tag_that_a_page_names_is_that_of_this_version() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.yml")]
    text = "".join(page.read_text("utf-8") for page in pages)
    tags = re.findall(r"(?:connform@|rev: |ref: )v(\d+\.\d+\.\d+)|connform-(\d+\.\d+\.\d+)-py3", text)
    assert len(tags) > 5
    assert {tag or wheel for tag, wheel in tags} == {connform.__version__}


def loaded(name: str) -> Any:
    return yaml.safe_load(FILES[name])
