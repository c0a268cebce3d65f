"""The formats of real runs: one verdict in all of them, several at once, the habits of CI systems, and nothing lost among thousands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from connform.reporters import FORMATS, has_messages
from tests.end_to_end.running import run, run_here
from tests.manifest.test_many import COUNT, LINES_OF_ONE, MISTAKES, connection

EXAMPLE = Path(__file__).parents[2] / "connections.yaml.example"
BROKEN = (
    "version: 1\nconnections:\n  a: {environment: sandbox, region: ca, auth: {method: api_key, api_key: env://A}}\n"
)
PLACES: dict[str, Callable[[str], list[tuple[int, int]]]] = {
    "text": lambda text: places(r"(?m)^connections\.yaml:(\d+):(\d+): error\[", text),
    "concise": lambda text: places(r"(?m)^connections\.yaml:(\d+):(\d+): error\[", text),
    "json": lambda text: [(one["line"], one["column"]) for one in json.loads(text)["diagnostics"]],
    "jsonl": lambda text: places(r'(?m)^\{"type": "diagnostic".*?"line": (\d+), "column": (\d+)', text),
    "sarif": lambda text: places(r'"startLine": (\d+),\s+"startColumn": (\d+)', text),
    "junit": lambda text: places(r"connections\.yaml:(\d+):(\d+): error\[", text),
    "markdown": lambda text: places(r"(?m)^\| ❌ \| `connections\.yaml:(\d+):(\d+)` ", text),
}
"""Format → the places that it tells."""
SEEDS = ("0", "4711")


def places(pattern: str, text: str) -> list[tuple[int, int]]:
    return [(int(line), int(column)) for line, column in re.findall(pattern, text)]


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, int]]]:
    """A folder with 10,000 connections, every hundredth with a mistake, and where the mistakes are."""
    folder = tmp_path_factory.mktemp("spoilt")
    connections = [connection(number) for number in range(COUNT)]
    expected = []
    for index in range(100):
        number = index * 100 + 37
        right, wrong, _, below = MISTAKES[index % len(MISTAKES)]
        connections[number] = connections[number].replace(right, wrong)
        line = connections[number].splitlines()[below]
        column = 5 if "enviroment" in line else line.index(": ") + 3
        expected.append((3 + number * LINES_OF_ONE + below, column))
    (folder / "connections.yaml").write_text("version: 1\nconnections:\n" + "".join(connections), "utf-8")
    return folder, expected


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("verb", [["validate"], ["check", "--simulate"]], ids=" ".join)
def test_the_format_never_changes_the_code(name: str, verb: list[str], tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_bytes(EXAMPLE.read_bytes())
    good = run_here(*verb, "--format", name, cwd=tmp_path)
    assert (good.code, good.err) == (0, "")
    (tmp_path / "connections.yaml").write_text(BROKEN)
    bad = run_here(*verb, "--format", name, cwd=tmp_path)
    assert bad.code == 1
    if not has_messages(FORMATS[name]):
        assert "unknown-region" in bad.err
    else:
        assert "unknown-region" in bad.out
        assert bad.err == ""


def test_one_run_gives_every_format_at_once(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(BROKEN)
    alone = {name: run_here("validate", "--format", name, cwd=tmp_path).out for name in FORMATS}
    arguments = [part for name in FORMATS if name != "text" for part in ("--format", f"{name}={name}.out")]
    together = run_here("validate", *arguments, cwd=tmp_path)
    assert (together.code, together.out) == (1, alone["text"])
    written = {name: (tmp_path / f"{name}.out").read_text() for name in FORMATS if name != "text"}
    assert {name: undated(text) for name, text in written.items()} == {
        name: undated(text) for name, text in alone.items() if name != "text"
    }


def undated(text: str) -> str:
    return re.sub("made <time.*?</time>", "", text)


@pytest.fixture(scope="module")
def told(spoilt: tuple[Path, list[tuple[int, int]]]) -> dict[str, tuple[str, str]]:
    """Format → what two runs say of the spoilt connections, each with a hash seed of its own."""
    folder, _ = spoilt
    names = [*PLACES, "gitlab"]
    for seed in SEEDS:
        formats = [part for name in names for part in ("--format", f"{name}={name}.{seed}")]
        assert run("validate", *formats, cwd=folder, env={"PYTHONHASHSEED": seed}).code == 1
    first, second = SEEDS
    return {
        name: ((folder / f"{name}.{first}").read_text(), (folder / f"{name}.{second}").read_text()) for name in names
    }


@pytest.mark.parametrize("name", PLACES)
def test_a_hundred_mistakes_in_ten_thousand_connections_are_told_each_at_its_place(
    name: str, spoilt: tuple[Path, list[tuple[int, int]]], told: dict[str, tuple[str, str]]
) -> None:
    _, expected = spoilt
    for text in told[name]:
        assert PLACES[name](text) == expected
    first, second = (re.sub(r'"elapsed_ms": [0-9.]+', "", text) for text in told[name])
    assert first == second, "the order depends on the hash seed"


def test_gitlab_is_told_each_line_and_a_fingerprint_of_its_own(
    spoilt: tuple[Path, list[tuple[int, int]]], told: dict[str, tuple[str, str]]
) -> None:
    _, expected = spoilt
    report = json.loads(told["gitlab"][0])
    assert [one["location"]["lines"]["begin"] for one in report] == [line for line, _ in expected]
    assert len({one["fingerprint"] for one in report}) == len(expected)


def test_github_gets_what_it_shows_and_the_summary_has_the_rest(
    spoilt: tuple[Path, list[tuple[int, int]]], tmp_path: Path
) -> None:
    folder, expected = spoilt
    summary = tmp_path / "summary.md"
    summary.write_text("what an earlier step said\n")
    ended = run_here("validate", "--format", "github", cwd=folder, env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert places(r"(?m)^::error .*?line=(\d+),.*?col=(\d+),", ended.out) == expected[:10]
    assert "90 more errors" in ended.out.splitlines()[-1]
    text = summary.read_text()
    assert text.startswith("what an earlier step said\n")
    assert PLACES["markdown"](text) == expected


def test_a_summary_that_cannot_be_written_changes_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(BROKEN)
    ended = run_here("validate", "--format", "github", cwd=tmp_path, env={"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert ended.code == 1
    assert ended.err.startswith("warning: can't add to the summary of the job")


@pytest.mark.parametrize("told_by", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", ".git"])
def test_paths_are_those_of_the_repository_wherever_it_is_run(told_by: str, tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "root" / "deploy" / "eu"
    folder.mkdir(parents=True)
    (folder / "connections.yaml").write_text(BROKEN)
    env = {told_by: str(root)} if told_by != ".git" else {}
    if not env:
        (root / ".git").mkdir()
    ended = run_here("validate", "--format", "gitlab", cwd=folder, env=env)
    assert [one["location"]["path"] for one in json.loads(ended.out)] == ["deploy/eu/connections.yaml"]


def test_a_moved_line_keeps_its_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    fingerprints = set()
    for text in (BROKEN, f"# moved\n\n{BROKEN}"):
        file.write_text(text)
        (one,) = json.loads(run_here("validate", "--format", "gitlab", cwd=tmp_path).out)
        fingerprints.add(one["fingerprint"])
    assert len(fingerprints) == 1
