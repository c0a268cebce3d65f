"""`--changed-since` in hostile repositories, where nothing may run, and in every kind of clone. With a real git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from connform.engine.inventory import list_connections
from connform.engine.load.selection import Selection
from connform.errors import NoBaseline
from tests.conftest import require_peer
from tests.engine.test_changed import IDENTITY

MANIFEST = """\
version: 1
connections:
  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}}
  b: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}}
"""
LACKING = "this partial clone has not fetched all of them: `git diff --stat COMMIT`"
BARE = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n"
PROMISOR = '[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\tpromisor = true\n'
PROGRAMS = """\
[core]
	fsmonitor = SCRIPT
	hooksPath = HOOKS
	pager = SCRIPT
	editor = SCRIPT
	sshCommand = SCRIPT
	gitProxy = SCRIPT
	askPass = SCRIPT
	alternateRefsCommand = SCRIPT
[pager]
	cat-file = SCRIPT
	rev-parse = SCRIPT
[alias]
	cat-file = !SCRIPT
	rev-parse = !SCRIPT
[credential]
	helper = !SCRIPT
[diff]
	external = SCRIPT
[filter "x"]
	smudge = SCRIPT
	process = SCRIPT
"""
CONFIGURATIONS = {
    "ext": '[remote "origin"]\n\turl = "ext::sh SCRIPT"\n[protocol "ext"]\n\tallow = always\n',
    "ext by another name": (
        '[remote "origin"]\n\turl = https://acme.example/x\n[url "ext::SCRIPT "]\n\tinsteadOf = https://acme.example/\n'
        '[protocol "ext"]\n\tallow = always\n'
    ),
    "helper": '[remote "origin"]\n\turl = SCRIPT\n\tvcs = ext\n[protocol "ext"]\n\tallow = always\n',
    "program of a local remote": (
        '[remote "origin"]\n\turl = REPOSITORY\n\tuploadpack = SCRIPT\n[protocol "file"]\n\tallow = always\n'
    ),
    "ssh": (
        '[remote "origin"]\n\turl = ssh://acme.example/x\n[core]\n\tsshCommand = SCRIPT\n'
        '[protocol "ssh"]\n\tallow = always\n'
    ),
    "proxy of git://": (
        '[remote "origin"]\n\turl = git://acme.example/x\n[core]\n\tgitProxy = SCRIPT\n'
        '[protocol "git"]\n\tallow = always\n'
    ),
    "included": "[include]\n\tpath = REPOSITORY/connections/more\n",
    "programs": PROGRAMS,
}
"""What makes git run SCRIPT, where it obeys the configuration and lacks an object."""


class Hostile:
    """A repository whose pull request changes `a`, and adds a script that must never run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.marker = folder.parent / "ran"
        self.script = folder / "connections" / "x.sh"
        git(folder, "init", "--initial-branch=main")
        (folder / "connections").mkdir()
        (folder / "connections" / "a.yaml").write_text(MANIFEST)
        commit(folder)
        git(folder, "checkout", "-b", "feature")
        (folder / "connections" / "a.yaml").write_text(MANIFEST.replace("us", "eu", 1))
        for name in ("x.sh", "git", "git-remote-ext", "post-checkout", "reference-transaction"):
            self._write(name, f"#!/bin/sh\ntouch {self.marker}\nexit 1\n").chmod(0o755)
        self._write("more", self.filled(CONFIGURATIONS["ext"]))

    def filled(self, text: str) -> str:
        """Return a configuration with the paths of this repository."""
        hooks = str(self.script.parent)
        return text.replace("SCRIPT", str(self.script)).replace("HOOKS", hooks).replace("REPOSITORY", str(self.folder))

    def commit_bare_repository(self, configuration: str) -> None:
        """Commit ordinary files that are a bare repository, in which `main` is a commit that a remote promises."""
        self._write("config", BARE + PROMISOR + self.filled(configuration))
        self._write("HEAD", "ref: refs/heads/main\n")
        self._write("objects/info/keep", "")
        self._write("refs/heads/main", f"{'1' * 40}\n")
        commit(self.folder)

    def lose_the_baseline(self, configuration: str = "") -> None:
        """Leave out the manifest of `main`, as a blobless clone does."""
        commit(self.folder)
        config = self.folder / ".git" / "config"
        config.write_text(config.read_text().replace("= 0", "= 1") + PROMISOR + self.filled(configuration))
        digits = git(self.folder, "rev-parse", "main:connections/a.yaml").strip()
        (self.folder / ".git" / "objects" / digits[:2] / digits[2:]).unlink()

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / "connections" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def git(folder: Path, *argv: str) -> str:
    program = require_peer("git")
    environment = {**os.environ, **IDENTITY}
    command = [program, "-c", "protocol.file.allow=always", "-C", str(folder), *argv]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "x")


def touched(ref: str, *files: str) -> str:
    """Return the names of the connections that differ from a commit."""
    return " ".join(one.name for one in list_connections(files, Selection(changed_since=ref)).connections)


def said_of(hostile: Hostile, *files: str) -> str:
    """Return what differs from `main`, or what is said instead; nothing ran."""
    try:
        said = touched("main", *files)
    except NoBaseline as error:
        said = str(error)
    assert not hostile.marker.exists(), "something of the checkout was run"
    return said


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hostile:
    made = Hostile(tmp_path / "repository")
    monkeypatch.chdir(made.folder)
    return made


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_committed_bare_repository_is_no_repository(name: str, hostile: Hostile) -> None:
    hostile.commit_bare_repository(CONFIGURATIONS[name])
    assert said_of(hostile) == said_of(hostile, "connections/a.yaml") == "a"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_makes_git_fetch_and_run_nothing(name: str, hostile: Hostile) -> None:
    """Even that of the repository itself, which no pull request can change."""
    hostile.lose_the_baseline(CONFIGURATIONS[name])
    assert LACKING in said_of(hostile)


def test_a_committed_bare_repository_at_the_root_of_a_damaged_one(hostile: Hostile) -> None:
    """Git falls back to it, where `.git` is not what it should be."""
    hostile.commit_bare_repository(CONFIGURATIONS["ext"])
    for name in ("config", "HEAD", "objects", "refs"):
        (hostile.folder / "connections" / name).rename(hostile.folder / name)
    (hostile.folder / ".git" / "HEAD").unlink()
    assert "git says: fatal: " in said_of(hostile)


def variables(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return how a configuration is handed to git in the environment."""
    lines = {
        f"GIT_CONFIG_{what}_{i}": text
        for i, pair in enumerate(pairs.items())
        for what, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **lines}


FETCHING = {"remote.x.promisor": "true", "remote.x.url": "ext::sh SCRIPT", "protocol.ext.allow": "always"}
ENVIRONMENTS = {
    "GIT_DIR": {"GIT_DIR": "REPOSITORY/connections"},
    "GIT_DIR, relative": {"GIT_DIR": "."},
    "GIT_COMMON_DIR": {"GIT_COMMON_DIR": "REPOSITORY/connections"},
    "GIT_OBJECT_DIRECTORY": {"GIT_OBJECT_DIRECTORY": "REPOSITORY/connections/objects"},
    "GIT_NAMESPACE": {"GIT_NAMESPACE": "x"},
    "GIT_CEILING_DIRECTORIES": {"GIT_CEILING_DIRECTORIES": "REPOSITORY"},
    "GIT_WORK_TREE": {"GIT_WORK_TREE": "REPOSITORY/connections"},
    "GIT_CONFIG_PARAMETERS": {"GIT_CONFIG_PARAMETERS": "'core.bare=maybe'"},
    "GIT_CONFIG_COUNT": variables({"core.repositoryformatversion": "maybe", "core.bare": "maybe"}),
    "GIT_CONFIG_GLOBAL": {"GIT_CONFIG_GLOBAL": "REPOSITORY/connections/x.sh"},
    "GIT_CONFIG_SYSTEM": {"GIT_CONFIG_SYSTEM": "REPOSITORY/connections/x.sh"},
}
"""What makes git read something else than the repository, or refuse it."""


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_names_no_other_repository(
    name: str, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.commit_bare_repository(CONFIGURATIONS["ext"])
    for variable, value in ENVIRONMENTS[name].items():
        monkeypatch.setenv(variable, hostile.filled(value))
    assert said_of(hostile) == "a"


@pytest.mark.parametrize(
    "environment",
    [
        variables(FETCHING),
        {"GIT_CONFIG_PARAMETERS": " ".join(f"'{key}'='{value}'" for key, value in FETCHING.items())},
        {"GIT_CONFIG_GLOBAL": "REPOSITORY/connections/more"},
        {"GIT_EXEC_PATH": "REPOSITORY/connections"},
        {"GIT_ALLOW_PROTOCOL": "ext", "GIT_NO_LAZY_FETCH": "0", **variables(FETCHING)},
    ],
    ids=lambda one: " ".join(name for name in one if name[-1].isalpha()),
)
def test_the_environment_makes_git_run_nothing(
    environment: dict[str, str], hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.lose_the_baseline()
    for variable, value in environment.items():
        monkeypatch.setenv(variable, hostile.filled(value))
    assert LACKING in said_of(hostile)


def test_an_object_that_is_not_there_is_not_taken_for_a_file_that_was_not(hostile: Hostile) -> None:
    """As Git from 2.45 on says it of a partial clone; every connection would count as new."""
    commit(hostile.folder)
    digits = git(hostile.folder, "rev-parse", "main:connections").strip()
    (hostile.folder / ".git" / "objects" / digits[:2] / digits[2:]).unlink()
    assert LACKING in said_of(hostile)


def test_a_replaced_commit_is_read_as_it_was(hostile: Hostile) -> None:
    commit(hostile.folder)
    git(hostile.folder, "replace", "main", "feature")
    assert said_of(hostile) == "a"


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository in which the last commit of `main` changed `a`."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main")
    git(folder, "config", "uploadpack.allowFilter", "true")
    for text in (MANIFEST, MANIFEST.replace("us", "eu", 1)):
        (folder / "connections.yaml").write_text(text)
        commit(folder)
    return folder


CLONES = {
    "ordinary": ["clone URL clone"],
    "shallow": ["clone --depth=2 URL clone"],
    "blobless": ["clone --filter=blob:none URL clone", "-C clone diff --stat HEAD~1"],
    "treeless": ["clone --filter=tree:0 URL clone", "-C clone diff --stat HEAD~1"],
    "sparse": ["clone --sparse URL clone"],
    "linked": ["clone URL first", "-C first worktree add -b other ../clone"],
    "linked to a bare one": ["clone --bare URL first", "-C first worktree add ../clone main"],
    "with its repository elsewhere": ["clone --separate-git-dir=first URL clone"],
    "submodule": ["init outer", "-C outer submodule add URL inner"],
    "SHA-256": ["init --object-format=sha256 clone"],
}


@pytest.mark.parametrize("kind", CLONES)
def test_every_kind_of_clone_has_its_baseline(
    kind: str, upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in CLONES[kind]:
        git(tmp_path, *command.replace("URL", f"file://{upstream}").split())
    clone = tmp_path / ("outer/inner" if kind == "submodule" else "clone")
    if kind == "SHA-256":
        for text in (MANIFEST, MANIFEST.replace("us", "eu", 1)):
            (clone / "connections.yaml").write_text(text)
            commit(clone)
    shutil.rmtree(upstream)
    monkeypatch.chdir(clone)
    assert touched("HEAD~1") == "a"
    monkeypatch.chdir(tmp_path)
    assert touched("HEAD~1", str(clone)) == touched("HEAD~1", str(clone / "connections.yaml")) == "a"


def test_a_hook_of_a_linked_checkout_reads_its_own_files(upstream: Path, tmp_path: Path) -> None:
    """There git sets GIT_DIR and more."""
    git(tmp_path, "clone", str(upstream), "first")
    git(tmp_path / "first", "worktree", "add", "-b", "other", "../clone")
    clone = tmp_path / "clone"
    (clone / "deep").mkdir()
    git(clone, "mv", "connections.yaml", "deep/connections.yaml")
    commit(clone)
    hook = tmp_path / "first" / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    command = f"{require_peer('connform')} list --changed-since HEAD --format json"
    hook.write_text(f"#!/bin/sh\ncd deep && exec {command} >{tmp_path}/said\n")
    hook.chmod(0o755)
    (clone / "deep/connections.yaml").write_text(MANIFEST)
    commit(clone)
    assert [one["name"] for one in json.loads((tmp_path / "said").read_text())["connections"]] == ["a"]


def test_the_repository_of_somebody_else_is_refused_in_the_words_of_git(
    upstream: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid():
        pytest.skip("only root can give files to somebody else")
    for path in (upstream, *upstream.rglob("*")):
        os.chown(path, 12345, 12345)
    monkeypatch.chdir(upstream)
    with pytest.raises(NoBaseline, match=r"dubious ownership .* git config --global --add safe\.directory"):
        touched("HEAD~1")
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {upstream}\n")
    assert touched("HEAD~1") == "a"
