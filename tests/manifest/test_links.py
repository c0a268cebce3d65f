"""Links are followed as far as the repository, outside of any as far as the folder that was named; mounts may be swapped meanwhile."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connform.engine.validate import validate
from connform.manifest.files import load_sources
from connform.manifest.replace import replace_content
from tests.repetitions import repeated

GOOD = """\
version: 1
connections:
  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: "env://K"}}
"""
POLICY = """\
version: 1
policies:
  no-owner: {message: x, severity: warning, schema: {required: [owner]}}
"""
OUTSIDE = "outside.yaml"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and beside it what is none of its business."""
    root = tmp_path / "checkout"
    for folder in ("checkout/.git", "checkout/connections", "checkout/shared", "elsewhere/.git", "elsewhere/policies"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "elsewhere" / OUTSIDE).write_text(GOOD)
    (tmp_path / "elsewhere/policies/p.yaml").write_text("version: 1\npolicies: {}\n")
    (root / "shared/x.yaml").write_text(GOOD)
    (root / ".git/config.yaml").write_text(GOOD)
    monkeypatch.chdir(root)
    return root


def read(*names: str) -> tuple[list[str], list[str]]:
    sources, problems = load_sources(names)
    return [source.name for source in sources], [f"{one.code} {one.span.file}" for one in problems]


@pytest.mark.parametrize(
    ("link", "target", "named"),
    [
        ("connections/a.yaml", f"../../elsewhere/{OUTSIDE}", "connections"),
        ("connections/a.yaml", f"../../elsewhere/{OUTSIDE}", "connections/a.yaml"),
        ("connections/a.yaml", "/etc/passwd", "connections"),
        ("connections/a.yaml", "/proc/self/environ", "connections"),
        ("connections/a.yaml", "/dev/stdin", "connections"),
        ("connections/a.yaml", "../.git/config.yaml", "connections"),
        ("connections/a.yaml", "../shared/.GIT/config", "connections"),
        ("connections.yaml", f"../elsewhere/{OUTSIDE}", ""),
        ("envs", "../elsewhere", "envs"),
        ("envs", "../elsewhere", f"envs/{OUTSIDE}"),
        ("envs", "../elsewhere", f"envs/../elsewhere/{OUTSIDE}"),
    ],
)
def test_a_link_leaves_no_repository(link: str, target: str, named: str) -> None:
    if link == "envs":
        Path("../elsewhere/a.yaml").write_text(GOOD)
    Path(link).symlink_to(target)
    found, problems = read(*filter(None, [named]))
    assert found == []
    assert problems
    assert {problem.split()[0] for problem in problems} == {"file-unreadable"}


def test_a_link_is_judged_by_the_repository_in_which_it_lies(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").symlink_to("checkout/connections/a.yaml")
    Path("connections/a.yaml").symlink_to(f"../../elsewhere/{OUTSIDE}")
    assert read(str(tmp_path / "mine.yaml")) == ([], [f"file-unreadable {tmp_path / 'mine.yaml'}"])


def test_a_message_says_which_link_leaves_what(here: Path) -> None:
    Path("connections/a.yaml").symlink_to("/etc/passwd")
    _, (problem,) = load_sources([])
    assert problem.detail == (
        f"the link connections/a.yaml leads out of its repository, {here}: name the file itself, or put it there"
    )


@pytest.mark.parametrize("target", ["../shared/x.yaml", "../link.yaml", "../alias/x.yaml"])
def test_links_inside_of_a_repository_are_followed(target: str) -> None:
    Path("link.yaml").symlink_to("shared/x.yaml")
    Path("alias").symlink_to("shared")
    Path("connections/a.yaml").symlink_to(target)
    assert read() == (["connections/a.yaml"], [])


def test_a_link_to_a_repository_leads_there(tmp_path: Path) -> None:
    (tmp_path / "work").symlink_to("checkout")
    assert read(str(tmp_path / "work/shared")) == ([str(tmp_path / "work/shared/x.yaml")], [])


@pytest.mark.parametrize("is_named", [True, False], ids=["by --policy", "beside the manifest"])
@pytest.mark.parametrize("link", ["policies", "policies/p.yaml"])
def test_policies_come_from_no_other_repository(link: str, *, is_named: bool) -> None:
    Path("connections.yaml").write_text(GOOD)
    if "/" in link:
        Path("policies").mkdir()
    Path(link).symlink_to(Path("..", *[".."] * link.count("/"), "elsewhere", link))
    report = validate((), policies=["policies"] if is_named else [])
    assert {one.code for one in report.diagnostics} == {"policy-unreadable"}


def test_outside_of_a_repository_a_link_leaves_not_the_folder_that_was_named(tmp_path: Path) -> None:
    for name in ("d/inner", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.yaml").write_text(GOOD)
    folder = tmp_path / "d"
    (folder / "a.yaml").symlink_to("inner/x.yaml")
    (folder / "b.yaml").symlink_to("../other/x.yaml")
    assert read(str(folder)) == ([f"{folder}/a.yaml"], [f"file-unreadable {folder}/b.yaml"])
    assert read(str(folder / "b.yaml")) == ([f"{folder}/b.yaml"], [])
    assert read(str(folder), str(tmp_path / "other")) == ([f"{folder}/a.yaml", f"{folder}/b.yaml"], [])


def test_a_link_that_is_named_itself_leaves_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "x.yaml").write_text(GOOD)
    (tmp_path / "d/connections.yaml").symlink_to("../x.yaml")
    monkeypatch.chdir(tmp_path / "d")
    assert read("connections.yaml") == (["connections.yaml"], [])
    assert read() == ([], ["file-unreadable connections.yaml"])


@pytest.mark.parametrize(
    ("target", "code"),
    [("../gone.yaml", "file-not-found"), ("a.yaml", "file-unreadable"), ("../shared", "file-unreadable")],
)
def test_a_link_in_a_folder_that_leads_to_no_file_is_an_error(target: str, code: str) -> None:
    Path("connections/a.yaml").symlink_to(target)
    assert read() == ([], [f"{code} connections/a.yaml"])


def test_a_dangling_manifest_is_not_passed_over_for_the_folder() -> None:
    Path("connections.yaml").symlink_to("gone.yaml")
    Path("connections/a.yaml").write_text(GOOD)
    assert read() == ([], ["file-not-found connections.yaml"])


@pytest.mark.parametrize("is_named", [True, False], ids=["by its name", "in a folder"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "terminals", "log"])
def test_what_is_no_regular_file_is_refused_at_once(kind: str, *, is_named: bool, tmp_path: Path) -> None:
    path = tmp_path / "d/a.yaml"
    path.parent.mkdir()
    make: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(path),
        "socket": lambda: _bind(path),
        "folder": lambda: (path / "b.yaml").mkdir(parents=True),
        "terminals": lambda: path.symlink_to("/dev/ptmx"),
        "log": lambda: path.symlink_to("/proc/kmsg"),
    }
    make[kind]()
    _, problems = read(str(path if is_named and kind != "folder" else path.parent))
    assert problems == [f"file-unreadable {path}"]


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket is short
        listener.bind(path.name)
        os.chdir(here)


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "<(cat)"])
def test_what_a_shell_hands_over_is_read(name: str) -> None:
    command = f"exec '{sys.executable}' -m connform validate {name.replace('cat', 'cat shared/x.yaml')} < shared/x.yaml"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "1 connection in 1 file: no errors\n")


def test_nothing_is_written_through_a_link_that_leaves_the_repository() -> None:
    target = Path(f"../elsewhere/{OUTSIDE}")
    target.write_text(GOOD.replace(" 1", "   1"))
    Path("connections/a.yaml").symlink_to(f"../{target}")
    for verb in (["fmt"], ["validate", "--fix"]):
        done = subprocess.run([sys.executable, "-m", "connform", *verb], capture_output=True, text=True, check=False)
        assert done.returncode == 1
    with pytest.raises(OSError, match="leads out of its repository"):
        replace_content("connections/a.yaml", b"new")
    assert target.read_text().startswith("version:   1")


# Folders as Kubernetes and git-sync make them, swapped again and again.


def _revision(root: Path, number: int) -> str:
    name = f"..2026_{number}" if root.name == "mount" else f"rev-{number}"
    folder = root / name
    folder.mkdir()
    (folder / "policies").mkdir()
    (folder / "policies/p.yaml").write_text(POLICY)
    for file in ("a", "b"):
        text = (
            f"version: 1\nconnections: {{{file}{number}: {{environment: sandbox, region: us, extends: t{number}}}}}\n"
        )
        (folder / f"{file}.yaml").write_text(text)
    template = "auth: {method: api_key, api_key: 'env://K'}"
    (folder / "t.yaml").write_text(f"version: 1\nconnections: {{}}\ntemplates: {{t{number}: {{{template}}}}}\n")
    if root.name != "mount":
        (folder / ".git").write_text(f"gitdir: ../.git/worktrees/{name}\n")
    return name


def _swap(root: Path, link: str, name: str) -> None:
    """As kubelet and git-sync do: a new link takes the place of the old one, then what that led to is deleted."""
    old = (root / link).readlink() if (root / link).is_symlink() else None
    (root / "..tmp").symlink_to(name)
    (root / "..tmp").replace(root / link)
    if old:
        shutil.rmtree(root / old)


@contextmanager
def _swapping(root: Path, link: str) -> Iterator[None]:
    ended = threading.Event()

    def swap() -> None:
        number = 0
        while not ended.wait(0.002):
            number += 1
            _swap(root, link, _revision(root, number))

    _swap(root, link, _revision(root, 0))
    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("layout", ["mount", "sync"])
def test_a_mount_that_is_swapped_meanwhile_is_read_as_one_revision(tmp_path: Path, layout: str) -> None:
    root = tmp_path / layout
    root.mkdir()
    if layout == "mount":
        link, folder = "..data", root
        for file in ("a.yaml", "b.yaml", "t.yaml", "policies"):
            (root / file).symlink_to(f"..data/{file}")
    else:
        (root / ".git/worktrees").mkdir(parents=True)
        link, folder = "current", root / "current"
    with _swapping(root, link):
        for _ in range(repeated(60, 2000)):
            report = validate([str(folder)])  # a template of another revision would be unknown
            assert [one.code for one in report.diagnostics] == ["no-owner", "no-owner"]
        command = [sys.executable, "-m", "connform", "validate", "-f", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "2 connections in 3 files, 1 policy: no errors, 2 warnings" in done.stdout) == (0, True), (
        done.stdout
    )


def test_a_folder_whose_revision_is_deleted_when_it_is_asked_what_it_is_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git/worktrees").mkdir(parents=True)
    _swap(tmp_path, "current", _revision(tmp_path, 0))
    folder, isdir, asked = str(tmp_path / "current"), os.path.isdir, []

    def isdir_later(path: str) -> bool:
        asked.append(path)
        return isdir(path) and asked != [folder]

    monkeypatch.setattr(os.path, "isdir", isdir_later)
    sources, problems = load_sources([folder])
    assert ([os.path.basename(one.name) for one in sources], problems) == (["a.yaml", "b.yaml", "t.yaml"], [])
