"""The manifest of a run that names none: which one is found, whose is ignored, and what is said where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connform.manifest.files import load_sources

GOOD = "version: 1\nconnections: {}\n"
STRANGER = 12345
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `top/a/b` as the working directory, where `top` is a Git repository."""
    folder = tmp_path / "top" / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "top" / ".git").mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(GOOD)


def read() -> list[str]:
    sources, _ = load_sources(())
    return [source.name for source in sources]


def advice() -> str:
    _, (problem,) = load_sources(())
    return problem.detail


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (["../../connections.yaml"], ["../../connections.yaml"]),
        (["../../connections.yaml", "../connections/a.yaml"], ["../connections/a.yaml"]),
        (["../connections.yaml", "connections/a.yaml"], ["connections/a.yaml"]),
        (["../../connections.yaml", "../connections/module.py"], ["../../connections.yaml"]),
        (["../../../connections.yaml"], []),
        (["../../connections.yaml", "../.connform/state.sqlite"], []),
    ],
    ids=[
        "the top",
        "the nearest",
        "here",
        "not a folder of programs",
        "not outside of the repository",
        "not past a state",
    ],
)
def test_the_nearest_manifest_above_is_read(present: list[str], found: list[str]) -> None:
    write(*present)
    assert read() == found


@ROOT_ONLY
@pytest.mark.parametrize("strangers", ["../../connections.yaml", "../.."])
def test_the_manifest_of_another_user_is_not_read(strangers: str) -> None:
    """They could choose where this user's secrets are sent."""
    write("../../connections.yaml")
    os.chown(strangers, STRANGER, -1)
    assert read() == []
    assert "belongs to another user: name it with `-f`, if you trust it" in advice()


@ROOT_ONLY
def test_a_link_to_the_file_of_another_user_is_not_read() -> None:
    write("../theirs.yaml")
    os.chown("../theirs.yaml", STRANGER, -1)
    Path("../connections.yaml").symlink_to("theirs.yaml")
    assert read() == []


def test_where_there_is_none_the_advice_names_what_was_searched(tmp_path: Path) -> None:
    assert advice() == (
        f"no connections.yaml and no connections/ in this folder, nor in a folder above it up to {tmp_path}/top: "
        "`connform init` writes one; `-f PATH`, or `files` in a program, names one elsewhere"
    )


def test_a_file_of_almost_the_right_name_is_named() -> None:
    write("../connections.yml")
    assert advice() == (
        "there is a ../connections.yml, and the name that is looked for is connections.yaml: "
        "rename it, or name it with `-f ../connections.yml`"
    )
