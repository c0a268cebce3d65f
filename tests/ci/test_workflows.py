"""What this project's own workflows on GitHub rely on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import connform
from tests.ci.conftest import ROOT, commit_all
from tests.conftest import require_peer
from tests.end_to_end.running import run_program

pytestmark = pytest.mark.timeout(110)
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def require_valid(kind: str, *files: Path) -> None:
    """Check files by a schema that check-jsonschema brings along."""
    ended = run_program(require_peer("check-jsonschema"), "--builtin-schema", kind, *files, cwd=ROOT)
    assert ended.code == 0, ended.out


def test_github_can_read_its_files() -> None:
    require_valid("vendor.github-workflows", *WORKFLOWS)
    require_valid("vendor.dependabot", ROOT / ".github" / "dependabot.yml")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_another_project_s_action_is_named_by_its_commit_and_gets_no_more_rights_than_it_needs(file: Path) -> None:
    text = file.read_text()
    workflow = yaml.safe_load(text)
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v[0-9.]+", one)] == []
    assert workflow["permissions"] == {}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_every_python_that_the_package_names_is_tested() -> None:
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == named


@pytest.mark.parametrize(
    ("version", "changelog", "said"),
    [
        ("9.9.9", "## [9.9.9]", "not 9.9.9: set __version__"),
        (connform.__version__, "## [Unreleased]", f"CHANGELOG.md has no section [{connform.__version__}]"),
        (connform.__version__, f"## [{connform.__version__}] - 2026-12-01", ""),
    ],
    ids=["another version in the code", "nothing in the changelog", "the same everywhere"],
)
def test_a_tag_is_built_only_where_code_and_changelog_name_its_version(
    tmp_path: Path, version: str, changelog: str, said: str
) -> None:
    package = tmp_path / "src" / "connform" / "__init__.py"
    package.parent.mkdir(parents=True)
    package.write_bytes((ROOT / "src" / "connform" / "__init__.py").read_bytes())
    (tmp_path / "CHANGELOG.md").write_text(changelog + "\n")
    (tmp_path / ".gitignore").write_text("built\n")
    for name in ("python", "twine"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$@" > built\n')
        (tmp_path / name).chmod(0o755)
    commit_all(tmp_path)
    argv = ["make", "-f", str(ROOT / "Makefile"), "-o", ".venv/.dev", "dist", f"VERSION={version}", f"BIN={tmp_path}"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode == 0, (tmp_path / "built").exists()) == (not said, not said), done.stderr
    assert said in done.stderr


def test_what_is_not_committed_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("forgotten\n")
    package = tmp_path / "src" / "connform" / "__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text('__version__ = "1.2.3"\n')
    commit_all(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text("## [1.2.3]\n")
    argv = ["make", "-f", str(ROOT / "Makefile"), "-o", ".venv/.dev", "dist", "VERSION=1.2.3"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, "commit first" in done.stderr) == (2, True), done.stderr
