"""`--changed-since`: which connections mean something else than at a commit. In real repositories."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from connform.cli.main import main
from connform.engine.inventory import list_connections
from connform.engine.load.selection import Selection
from connform.engine.validate import validate
from connform.errors import NoBaseline, UnknownConnection
from tests.conftest import require_peer

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@acme.example",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@acme.example",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
BEFORE = """\
version: 1
stores:
  mounted: {type: file, path: /run/secrets}
  other: {type: file, path: /run/other}
defaults:
  owner: platform@acme.example
templates:
  portal:
    environment: production
    auth: {method: api_key, api_key: mounted://key}
connections:
  one: {extends: portal, region: us, tags: [a, b]}
  two: {extends: portal, region: eu}
  three: # on its own
    environment: sandbox
    region: eu
    owner: somebody@acme.example
    auth: {method: api_key, api_key: env://KEY}
"""
EVERYTHING = "one two three"


class Git(Protocol):
    """Runs git in the test's repository."""

    def __call__(self, *argv: str) -> str:
        """Return its output."""


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    program = require_peer("git")
    (tmp_path / "repository").mkdir()
    monkeypatch.chdir(tmp_path / "repository")

    def run(*argv: str) -> str:
        environment = {**os.environ, **IDENTITY}
        return subprocess.run([program, *argv], env=environment, capture_output=True, text=True, check=True).stdout

    run("init", "--initial-branch=main")
    return run


@pytest.fixture
def repository(git: Git, tmp_path: Path) -> Path:
    """A repository with one commit of one manifest, which is the current folder."""
    (tmp_path / "repository/connections.yaml").write_text(BEFORE)
    commit(git)
    return tmp_path / "repository"


def commit(git: Git) -> None:
    git("add", "--all")
    git("commit", "--message", "x")


def touched(*files: str, ref: str = "HEAD") -> str:
    """Return the names of the connections that `list` shows, and that `validate` counts as many."""
    report = list_connections(files, Selection(changed_since=ref))
    assert validate(files, Selection(changed_since=ref)).connection_count == report.connection_count
    return " ".join(connection.name for connection in report.connections)


CHANGES = {
    "nothing": ("", "", ""),
    "comments-and-layout": (
        "  one: {extends: portal, region: us, tags: [a, b]}",
        "  # once more\n\n  one:\n    tags:   ['a', \"b\"]\n    region: us # here\n    extends: portal\n",
        "",
    ),
    "itself": ("region: us", "region: ca", "one"),
    "order-of-a-list": ("[a, b]", "[b, a]", "one"),
    "a-key-more": ("region: us,", "region: us, description: x,", "one"),
    "its-name": ("  one:", "  first:", "first"),
    "new": ("connections:\n", "connections:\n  new: {extends: portal, region: ca}\n", "new"),
    "deleted": ("  two: {extends: portal, region: eu}\n", "", ""),
    "its-template": (
        "    environment: production\n",
        "    environment: production\n    proxy: environment\n",
        "one two",
    ),
    "the-name-of-its-template": ("portal", "gate", ""),
    "defaults": ("platform@", "infra@", "one two"),
    "its-store": ("path: /run/secrets", "path: /run/secret", "one two"),
    "the-name-of-its-store": ("mounted", "fixed", "one two"),
    "a-store-of-nobody": ("path: /run/other", "path: /run/another", ""),
    "a-text-becomes-a-number": ("owner: somebody@acme.example", "owner: '1'", "three"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_touches(name: str, repository: Path) -> None:
    old, new, expected = CHANGES[name]
    (repository / "connections.yaml").write_text(BEFORE.replace(old, new))
    assert touched() == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("const: 1", "const: true", "a"), ("take: 1", "take: 2", "a"), ("const: 1", "const: 1.0", "")],
)
def test_a_body_is_compared_as_json(old: str, new: str, expected: str, repository: Path, git: Git) -> None:
    check = "{method: POST, path: /me, json: {take: 1}, expect: {body: {const: 1}}}"
    auth = "{method: bearer, token: env://TOKEN}"
    text = f"version: 1\nconnections:\n  a: {{provider: http, base_url: 'https://a.example', check: {check}, auth: {auth}}}\n"
    file = repository / "connections.yaml"
    file.write_text(text)
    commit(git)
    file.write_text(text.replace(old, new))
    assert touched() == expected


def test_committed_changes_count_from_any_commit(repository: Path, git: Git) -> None:
    git("tag", "v1")
    (repository / "connections.yaml").write_text(BEFORE.replace("region: us", "region: ca"))
    commit(git)
    assert [touched(ref=ref) for ref in ("HEAD", "v1", "HEAD~1", "main~1", git("rev-parse", "v1").strip())] == [
        *("", "one", "one", "one", "one")
    ]


def test_another_file_of_the_same_folder_changes_nothing(repository: Path, git: Git) -> None:
    (repository / "connections").mkdir()
    git("mv", "connections.yaml", "connections/a.yaml")
    commit(git)
    text = (repository / "connections/a.yaml").read_text()
    head, _, rest = text.partition("  two:")
    (repository / "connections/a.yaml").write_text("version: 1\nconnections: {}\n")
    (repository / "connections/b.yaml").write_text(head + "  two:" + rest.replace("region: eu}", "region: ca}"))
    assert touched() == touched("connections") == "two"


def test_another_folder_changes_what_is_relative_to_it(repository: Path, git: Git) -> None:
    text = (
        "version: 1\nconnections:\n"
        "  by-name: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}}\n"
        "  by-file: {environment: sandbox, region: us, auth: {method: api_key, api_key: file://key}}\n"
        "  pinned: {environment: private, instance: acme, tls: {ca_file: ca.pem},"
        " auth: {method: api_key, api_key: env://KEY}}\n"
    )
    (repository / "connections.yaml").write_text(text)
    commit(git)
    (repository / "connections").mkdir()
    git("mv", "connections.yaml", "connections/a.yaml")
    assert touched() == "by-file pinned"


def test_a_manifest_that_was_not_there_is_new(repository: Path) -> None:
    (repository / "connections.yaml").rename(repository / "new.yaml")
    assert touched("new.yaml") == EVERYTHING


@pytest.mark.parametrize("text", ["version: [\n", "a: !tag b\n", "", "- a\n", "\ufffe"])
def test_a_manifest_that_was_broken_is_new(text: str, repository: Path, git: Git) -> None:
    (repository / "connections.yaml").write_text(text)
    commit(git)
    (repository / "connections.yaml").write_text(BEFORE)
    assert touched() == EVERYTHING


def test_paths_are_those_of_the_command_line(repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder below, from one above, absolute, through a link; names that git would quote or read as options."""
    for name in ("-n.yaml", "ü ß.yaml", "a/b/m.yaml"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(BEFORE)
    (repository / "link.yaml").symlink_to("a/b/m.yaml")
    commit(git)
    for name in ("./-n.yaml", "ü ß.yaml", "a/b/m.yaml", str(repository / "a/b/m.yaml"), "a/b", "link.yaml"):
        assert touched(name) == "", name
    monkeypatch.chdir(repository / "a")
    for name in ("b/m.yaml", "../ü ß.yaml", "../connections.yaml", "./b/../../connections.yaml"):
        assert touched(name) == "", name
    monkeypatch.chdir(repository.parent)
    assert touched("repository/connections.yaml") == touched("repository/a/b") == ""


def test_a_folder_is_read_as_it_is_now(repository: Path, git: Git) -> None:
    (repository / "a.txt").write_text(BEFORE)
    (repository / "folder.yaml").mkdir()
    (repository / "folder.yaml/x").touch()
    (repository / "dangling.yaml").symlink_to("nowhere")
    commit(git)
    (repository / "dangling.yaml").unlink()
    assert touched(".") == ""


def test_only_what_concerns_the_touched_connections_is_said(repository: Path) -> None:
    text = BEFORE.replace("region: us", "region: mars").replace("region: eu}", "region: venus}")
    (repository / "connections.yaml").write_text(text)
    subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "x"], check=True)
    (repository / "connections.yaml").write_text(text.replace("venus", "jupiter"))
    report = validate((), Selection(changed_since="HEAD"))
    assert [(one.code, one.connection) for one in report.diagnostics] == [("unknown-region", "two")]
    assert (report.connection_count, report.exit_code) == (1, 1)


def test_what_extends_nothing_known_is_touched(repository: Path, git: Git) -> None:
    (repository / "connections.yaml").write_text(
        BEFORE.replace("{extends: portal, region: us", "{extends: no, region: us")
    )
    commit(git)
    report = validate((), Selection(changed_since="HEAD"))
    assert (report.connection_count, [one.code for one in report.diagnostics]) == (1, ["unknown-template"])


def test_an_error_that_hides_the_named_connection_is_said(repository: Path) -> None:
    (repository / "connections.yaml").write_text("version: 1\nconnections:\n  one: null\n")
    assert [one.code for one in validate((), Selection(("one",))).diagnostics] == ["wrong-type"]


def test_it_narrows_what_the_other_flags_choose(repository: Path) -> None:
    (repository / "connections.yaml").write_text(BEFORE.replace("platform@", "infra@"))
    assert list(map(str, _names(Selection(("t*",), changed_since="HEAD")))) == ["two"]
    assert _names(Selection(("three",), changed_since="HEAD")) == []
    assert _names(Selection(exclude=("one",), changed_since="HEAD")) == ["two"]
    with pytest.raises(UnknownConnection):
        _names(Selection(("four",), changed_since="HEAD"))


def _names(selection: Selection) -> list[str]:
    return [connection.name for connection in list_connections((), selection).connections]


@pytest.mark.parametrize("verb", ["validate", "list", "check", "apply"])
def test_nothing_touched_is_a_report_of_nothing(
    verb: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is contacted either: the variable that a reference names is unset."""
    assert main([verb, "--changed-since", "HEAD"]) == 0
    assert "no connections in 1 file" in capsys.readouterr().out


UNKNOWN = "--changed-since names no commit that is here"


@pytest.mark.parametrize(
    "ref",
    ["no-such-branch", "-n", "--help", "--output=x", "HEAD:connections.yaml", "HEAD\nHEAD", ":/", "\x00", "é", "~"],
)
def test_a_commit_that_is_not_there_is_a_usage_error(
    ref: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--changed-since", ref]) == 64
    assert UNKNOWN in (err := capsys.readouterr().err)
    assert "fetch-depth: 0" in err
    assert sorted(path.name for path in repository.iterdir()) == [".git", "connections.yaml"]


def test_a_repository_without_commits_has_nothing_to_compare_with(git: Git, tmp_path: Path) -> None:
    (tmp_path / "repository/connections.yaml").write_text(BEFORE)
    with pytest.raises(NoBaseline, match=UNKNOWN):
        touched()


def test_a_shallow_clone_is_told_what_it_lacks(repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "connections.yaml").write_text(BEFORE.replace("us", "ca"))
    commit(git)
    before = git("rev-parse", "HEAD~1").strip()
    git("clone", "--depth=1", f"file://{repository}", "../shallow")
    monkeypatch.chdir(repository.parent / "shallow")
    with pytest.raises(NoBaseline, match="fetch-depth: 0"):
        touched(ref=before)


def test_a_partial_clone_is_not_completed_over_the_network(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "connections.yaml").write_text(BEFORE.replace("us", "ca"))
    commit(git)
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "--filter=blob:none", f"file://{repository}", "../partial")
    monkeypatch.chdir(repository.parent / "partial")
    assert touched() == ""
    with pytest.raises(NoBaseline, match="this partial clone has not fetched all of them"):
        touched(ref="HEAD~1")


def test_no_repository_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "connections.yaml").write_text(BEFORE)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoBaseline, match="lies in no Git repository"):
        touched()
    assert main(["list", "--changed-since", "HEAD"]) == 64


def test_a_file_outside_of_the_repository_is_a_usage_error(repository: Path) -> None:
    (repository.parent / "outside.yaml").write_text("version: 1\nconnections: {}\n")
    with pytest.raises(NoBaseline, match=r"\.\./outside\.yaml lies outside of it"):
        touched("connections.yaml", "../outside.yaml")


def test_without_git_it_is_a_usage_error(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(NoBaseline, match="needs git, which can't be run"):
        touched()


def test_standard_input_is_a_usage_error(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BEFORE.encode())))
    assert main(["validate", "-f", "-", "--changed-since", "HEAD"]) == 64
    assert "standard input" in capsys.readouterr().err


def test_a_missing_manifest_is_said_all_the_same(repository: Path) -> None:
    report = validate(["gone.yaml"], Selection(changed_since="HEAD"))
    assert [one.code for one in report.diagnostics] == ["file-not-found"]
