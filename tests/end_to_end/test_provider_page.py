"""The file of docs/guides/providers.md is valid as it stands there, its steps are parts of it, and its commands print what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from connform.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "providers.md").read_text("utf-8")
(WHOLE,) = re.findall(r"```yaml\n# connections.yaml\n(.*?)```", PAGE, re.DOTALL)
STEPS = re.findall(r"### [1-5]\..*?```yaml\n(.*?)```", PAGE, re.DOTALL)
(CONSOLE,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connections.yaml").write_text(WHOLE)


def test_the_steps_are_the_whole_file() -> None:
    assert len(STEPS) == 5
    assert indent("".join(STEPS), "    ") in WHOLE


@pytest.mark.parametrize("shown", re.findall(r"\$ connform (.*)\n((?:[^$].*\n)+)", CONSOLE), ids=lambda one: one[0])
def test_a_command_prints_what_the_page_says(shown: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments, said = shown
    assert main(arguments.split()) == 0
    assert capsys.readouterr().out == said


def test_the_simulator_answers_a_check_as_the_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--simulate"]) == 0
    assert "1 ready" in capsys.readouterr().out
