"""`--changed-since` compares with things as they stood at the commit: links, submodules, where two branches parted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connform.errors import NoBaseline
from tests.engine.test_baseline import CONFIGURATIONS, MANIFEST, PROMISOR, commit, git, touched

EU = MANIFEST.replace("us", "eu", 1)
BY_FILE = """\
version: 1
connections:
  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: file://key}}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    for name in ("shared", "connections", "us", "eu"):
        (folder / name).mkdir(parents=True)
    git(folder, "init", "--initial-branch=main")
    for name, text in (("us", MANIFEST), ("eu", EU)):
        (folder / "shared" / f"{name}.yaml").write_text(text)
        (folder / name / "connections.yaml").write_text(text)
    monkeypatch.chdir(folder)
    return folder


def relink(link: str, target: str) -> None:
    Path(link).unlink()
    Path(link).symlink_to(target)


def to_another_file(path: Path) -> None:
    Path("connections.yaml").symlink_to("shared/us.yaml")
    commit(path)
    relink("connections.yaml", "shared/eu.yaml")


def to_another_folder(path: Path) -> None:
    Path("now").symlink_to("us")
    Path("connections.yaml").symlink_to("now/connections.yaml")
    commit(path)
    relink("now", "eu")


def through_the_parent_of_a_link(path: Path) -> None:
    """`..` behind a link leads to the parent of what it leads to."""
    for name, text in (("v1", MANIFEST), ("v2", EU)):
        Path(name, "deep").mkdir(parents=True)
        Path(name, "connections.yaml").write_text(text)
        Path(name, "deep", "x").touch()
    Path("now").symlink_to("v1/deep")
    Path("connections.yaml").symlink_to("now/../connections.yaml")
    commit(path)
    relink("now", "v2/deep")


def to_an_absolute_path(path: Path) -> None:
    Path("connections.yaml").symlink_to(path / "shared" / "us.yaml")
    commit(path)
    relink("connections.yaml", str(path / "shared" / "eu.yaml"))


def of_a_link_in_a_folder(path: Path) -> None:
    Path("connections/a.yaml").symlink_to("../shared/us.yaml")
    commit(path)
    relink("connections/a.yaml", "../shared/eu.yaml")


def of_what_the_link_leads_to(path: Path) -> None:
    Path("connections.yaml").symlink_to("shared/us.yaml")
    commit(path)
    Path("shared/us.yaml").write_text(EU)


def from_a_file_to_a_link(path: Path) -> None:
    Path("connections.yaml").write_text(MANIFEST)
    commit(path)
    relink("connections.yaml", "shared/eu.yaml")


def from_a_link_to_a_file(path: Path) -> None:
    Path("connections.yaml").symlink_to("shared/us.yaml")
    commit(path)
    Path("connections.yaml").unlink()
    Path("connections.yaml").write_text(EU)


def from_a_link_in_the_folder_of_relative_paths(path: Path) -> None:
    """The same text leads to another file."""
    for name in ("us", "eu"):
        Path(name, "connections.yaml").write_text(BY_FILE)
    Path("now").symlink_to("us")
    commit(path)
    relink("now", "eu")


CHANGES: dict[Callable[[Path], None], str] = {
    to_another_file: "",
    to_another_folder: "",
    through_the_parent_of_a_link: "",
    to_an_absolute_path: "",
    of_a_link_in_a_folder: "connections",
    of_what_the_link_leads_to: "",
    from_a_file_to_a_link: "",
    from_a_link_to_a_file: "",
    from_a_link_in_the_folder_of_relative_paths: "now/connections.yaml",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_a_link_is_a_change_and_an_unchanged_link_is_none(
    change: Callable[[Path], None], repository: Path
) -> None:
    change(repository)
    files = [CHANGES[change]] if CHANGES[change] else []
    assert touched("HEAD", *files) == "a"
    commit(repository)
    assert touched("HEAD", *files) == ""


@pytest.mark.parametrize("target", ["connections.yaml", "/nowhere", "../../outside.yaml", "us/gone.yaml"])
def test_what_led_nowhere_or_out_of_the_repository_counts_as_new(target: str, repository: Path) -> None:
    (repository.parent / "outside.yaml").write_text(MANIFEST)
    Path("connections.yaml").symlink_to(target)
    commit(repository)
    relink("connections.yaml", "shared/us.yaml")
    assert touched("HEAD") == "a b"


@pytest.fixture
def outer(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose second commit takes a newer commit of its submodule, in which `a` moved."""
    inner = repository.parent / "inner"
    inner.mkdir()
    git(inner, "init", "--initial-branch=main")
    (inner / "connections.yaml").write_text(MANIFEST)
    commit(inner)
    git(repository, "submodule", "add", inner.as_uri(), "libs/sub")
    commit(repository)
    git(repository, "tag", "v1")
    (inner / "connections.yaml").write_text(EU)
    commit(inner)
    git(repository / "libs/sub", "pull")
    Path("connections.yaml").symlink_to("libs/sub/connections.yaml")
    commit(repository)
    return repository


@pytest.mark.parametrize("named", ["libs/sub", "libs/sub/connections.yaml", "./libs/../libs/sub/"])
def test_a_commit_of_the_outer_repository_says_what_its_submodule_was(outer: Path, named: str) -> None:
    """`main` exists in both; the one that is meant is that of the working directory."""
    assert [touched(ref, named) for ref in ("v1", "HEAD~1", "main~1", "main")] == ["a", "a", "a", ""]


def test_a_link_into_a_submodule_leads_to_what_that_was(outer: Path) -> None:
    git(outer / "libs/sub", "checkout", "HEAD~1")
    assert touched("HEAD") == "a"


def test_a_commit_of_the_submodule_is_meant_inside_of_it(outer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outer / "libs/sub")
    assert [touched("HEAD~1"), touched("HEAD")] == ["a", ""]
    with pytest.raises(NoBaseline, match=f"for a commit of {outer}, run connform there"):
        touched("v1")


def test_a_commit_of_the_submodule_that_was_not_fetched_is_an_error(outer: Path, tmp_path: Path) -> None:
    shutil.rmtree(outer / "libs/sub")
    shutil.rmtree(outer / ".git/modules/libs/sub")
    git(outer, "submodule", "update", "--init", "--depth=1")
    with pytest.raises(NoBaseline, match=r"of the submodule .*/libs/sub, which is not here: fetch it there"):
        touched("v1", "libs/sub")


def test_a_submodule_that_was_a_folder_before_or_is_one_now_counts_as_new(outer: Path) -> None:
    git(outer, "rm", "--quiet", "-f", "libs/sub")
    Path("libs/sub").mkdir(parents=True, exist_ok=True)
    Path("libs/sub/connections.yaml").write_text(EU)
    assert touched("v1", "libs/sub") == "a b"


def test_a_clone_inside_of_another_repository_has_commits_of_its_own(outer: Path) -> None:
    git(outer.parent, "clone", str(outer.parent / "inner"), str(outer / "clone"))
    assert touched("HEAD~1", "clone") == "a"
    with pytest.raises(NoBaseline, match="clone lies outside of it: run connform once for each repository"):
        touched("HEAD~1", "us", "clone")


def test_a_linked_worktree_inside_of_the_repository_is_compared_with_its_own_files(
    outer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the name of a folder above looks like that of a submodule's repository."""
    above = outer.parent / "modules"
    outer.rename(above)
    monkeypatch.chdir(above)
    git(above, "worktree", "add", "linked", "HEAD")
    (above / "linked/us/connections.yaml").write_text(EU)
    assert [touched("HEAD", "linked/us"), touched("HEAD", "linked/eu")] == ["a", ""]


@pytest.fixture
def branches(repository: Path) -> Path:
    """`main` moved `a`, and `feature`, which is checked out, `b`."""
    Path("connections.yaml").write_text(MANIFEST)
    commit(repository)
    git(repository, "checkout", "-b", "feature")
    Path("connections.yaml").write_text("eu".join(MANIFEST.rsplit("us", 1)))
    commit(repository)
    git(repository, "checkout", "main")
    Path("connections.yaml").write_text(EU)
    commit(repository)
    git(repository, "checkout", "feature")
    return repository


def test_three_dots_name_the_commit_where_two_branches_parted(branches: Path) -> None:
    assert touched("main") == "a b"
    assert [touched(ref) for ref in ("main...feature", "main...", "...main", "main...HEAD")] == ["b"] * 4


def test_branches_without_a_common_commit_are_an_error(branches: Path) -> None:
    git(branches, "checkout", "--orphan", "other")
    commit(branches)
    with pytest.raises(NoBaseline, match="no commit that both come from is here"):
        touched("main...other")


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("main..feature", "takes one commit, and `A..B` names many"),
        ("main...nosuch", "names no commit that is here"),
        ("--help...main", "names no commit that is here"),
    ],
)
def test_what_is_no_commit_is_an_error(ref: str, said: str, branches: Path) -> None:
    with pytest.raises(NoBaseline, match=said):
        touched(ref)


def test_looking_for_the_common_commit_runs_nothing_of_the_repository(branches: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    config = (CONFIGURATIONS["programs"] + PROMISOR).replace("SCRIPT", str(script)).replace("HOOKS", str(tmp_path))
    with (branches / ".git" / "config").open("a") as file:
        file.write(config.replace("[extensions]\n\tpartialClone = origin\n", "") + "[alias]\n\tmerge-base = !false\n")
    assert touched("main...feature") == "b"
    assert not os.path.exists(tmp_path / "ran")
