"""What the README says is so: its manifest is valid, its error is printed, its commands and codes exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import connform
from connform.faults import ExitCode
from tests.end_to_end.running import run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

MISTAKEN = """\
version: 1

connections:
  sandbox-ca:
    auth: {method: api_key, api_key: "env://ACME_KEY"}
    environment: sandbox
    region: CA
"""


def block(heading: str, language: str) -> str:
    """Return the first block of code in a language below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert found, f"no block of {language} below {heading}"
    return found[1]


def commands() -> list[str]:
    """Return every command line of the README."""
    lines = re.findall(r"(?:^\$ |run: |`)(connform [a-z][^`#\n]*)", README, re.MULTILINE)
    assert lines
    return sorted({line.strip() for line in lines})


def test_its_manifest_is_valid(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(block("A manifest", "yaml"))
    ended = run("validate", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "2 connections in 1 file: no errors\n")


def test_its_mistake_is_told_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MISTAKEN)
    ended = run("validate", cwd=tmp_path)
    assert ended.code == 1
    assert f"$ connform validate\n{ended.out}" == block("What a mistake looks like", "console")


def test_its_exit_codes_are_all_that_there_are() -> None:
    table = re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE)
    assert [int(code) for code, _ in table] == sorted(ExitCode)


@pytest.mark.parametrize("line", commands())
def test_its_commands_and_flags_exist(line: str, tmp_path: Path) -> None:
    _, verb, *arguments = line.split()
    ended = run(verb, "--help", cwd=tmp_path)
    assert ended.code == 0
    described = ended.out + run("--help", cwd=tmp_path).out  # the flags of every command stand in the general help
    for flag in re.findall(r"--[a-z-]+", " ".join(arguments)):
        assert flag in described


def test_its_program_runs(tmp_path: Path) -> None:
    """As far as it goes without a key: the names it uses exist."""
    code = block("In a program", "python")
    for name in re.findall(r"connform\.(\w+)\(", code):
        assert name in connform.__all__
    compile(code, "README.md", "exec")


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_changelog_has_the_version() -> None:
    assert f"## {connform.__version__}" in (ROOT / "CHANGELOG.md").read_text().replace("[", "").replace("]", "")
