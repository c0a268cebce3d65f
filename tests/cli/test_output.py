"""Where reports go: standard output, files, terminals with and without colour, readers that leave."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import connform
from connform.cli.main import main
from connform.reporters import FORMATS, uses_repository_paths
from tests.cli.conftest import Connform, FakeEngine
from tests.reporters.samples import SAMPLES

EXPECTED = Path(__file__).parents[1] / "reporters" / "expected"
SOURCE = str(Path(connform.__file__).parents[1])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_text_by_default_and_files_in_addition(connform: Connform, engine: FakeEngine, tmp_path: Path) -> None:
    engine.result = SAMPLES["check-mixed"]
    one, two = tmp_path / "one.json", tmp_path / "two.txt"
    run = connform("check", "--format", f"json={one}", "--format", f"text={two}")
    assert run.out.startswith("connections.yaml:2:3: warning")
    assert json.loads(one.read_text())["command"] == "check"
    assert two.read_text() == run.out


def test_output_takes_the_place_of_standard_output(connform: Connform, engine: FakeEngine, tmp_path: Path) -> None:
    engine.result = SAMPLES["check-mixed"]
    file = tmp_path / "report"
    file.write_text("old and longer than nothing")
    run = connform("check", "--format", "json", "--output", str(file))
    assert (run.code, run.out) == (1, "")
    assert file.read_bytes() == (EXPECTED / "json" / "check-mixed.out").read_bytes()
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_followed_and_a_device_is_left_what_it_is(
    connform: Connform, engine: FakeEngine, tmp_path: Path
) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    file.touch()
    link.symlink_to(file)
    connform("list", "--output", str(link))
    assert link.is_symlink()
    assert file.read_text()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    connform("list", "--output", str(pipe))
    assert os.read(reader, 5) == file.read_bytes()[:5]
    os.close(reader)


def test_a_file_that_cannot_be_written_is_told_after_the_report(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text("version: 1\nconnections: {}\n")
    command = f"ulimit -f 0; exec '{sys.executable}' -m connform validate --format json=report"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "no errors" in done.stdout
    assert "can't write report: File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["connections.yaml"]


@pytest.mark.parametrize(
    ("environment", "flags", "coloured"),
    [
        ({}, [], True),
        ({"NO_COLOR": ""}, [], True),  # no-color.org: "when present and not an empty string"
        ({"NO_COLOR": "1"}, [], False),
        ({"TERM": "dumb"}, [], False),
        ({}, ["--no-color"], False),
    ],
)
def test_colour(
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    flags: list[str],
    *,
    coloured: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    engine.result = SAMPLES["check-mixed"]
    main(["check", *flags])
    assert ("\x1b[" in terminal.getvalue()) == coloured


@pytest.mark.parametrize("columns", ["0", "-1", "-80", "", "x", "+0", "80.5", "²"])
def test_a_width_that_is_none_is_ignored(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    shown = []
    for told in (columns, "120"):
        monkeypatch.setattr(sys, "stdout", terminal := Terminal())
        monkeypatch.setenv("COLUMNS", told)
        engine.result = SAMPLES["validate-errors"]
        main(["validate"])
        shown.append(terminal.getvalue())
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "told",
    [
        {"GITHUB_WORKSPACE": "/home/runner/work/acme/acme"},
        {"CI_PROJECT_DIR": "/builds/acme/acme"},
        {"GITHUB_WORKSPACE": "/github/workspace", "CI_PROJECT_DIR": "."},
        {"GITHUB_WORKSPACE": ""},
        {},
    ],
    ids=str,
)
def test_a_workspace_of_another_machine_leaves_paths_relative(
    connform: Connform, told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "..odd" / "m..yaml"
    for folder in (file.parent, tmp_path / ".git"):
        folder.mkdir()
    file.write_text("version: 2\n")
    monkeypatch.chdir(tmp_path)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    for form in [name for name, reporter in FORMATS.items() if uses_repository_paths(reporter)]:
        shown = connform("validate", "--format", form, "..odd").out
        assert "..odd/m..yaml" in shown
        assert str(tmp_path) not in shown
        assert connform("validate", "--format", form, ".").code == 1


def test_a_workspace_counts_wherever_the_command_is_run(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    for folder in (root, elsewhere / ".git"):
        folder.mkdir(parents=True)
    (root / "m.yaml").write_text("version: 2\n")
    monkeypatch.chdir(elsewhere)
    for told, expected in ((str(root), "m.yaml"), ("/home/runner/work", str(root / "m.yaml"))):
        monkeypatch.setenv("GITHUB_WORKSPACE", told)
        found = json.loads(connform("validate", "--format", "gitlab", str(root / "m.yaml")).out)
        assert {one["location"]["path"] for one in found} == {expected}


def test_no_colour_where_nobody_looks(connform: Connform, engine: FakeEngine) -> None:
    engine.result = SAMPLES["check-mixed"]
    assert "\x1b" not in connform("check").out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_glyphs_give_way_to_a_poor_encoding(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    engine.result = SAMPLES["check-mixed"]
    assert main(["check"]) == 1
    assert b"+ ready  sandbox-us" in stream.buffer.getvalue()


@pytest.mark.parametrize("argv", [["--help"], ["schema"]], ids=lambda argv: str(argv[0]))
def test_a_reader_may_leave(argv: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "connform", *argv]
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, check=False, env={**os.environ, "PYTHONPATH": SOURCE}
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 0
