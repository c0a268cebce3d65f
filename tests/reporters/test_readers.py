"""What other people's programs read out of the formats: each is given to a reader that isn't ours, or to one made from the reader's own grammar."""

from __future__ import annotations

import json
import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from connform.faults import ExitCode
from connform.reporters import FORMATS, reporter, uses_repository_paths, view
from connform.reporters.findings import ReportFinding, findings
from connform.reporters.github import SHOWN
from connform.reporters.markdown import MAX_CHARACTERS
from connform.reporters.terminal import clean
from tests.conftest import require_peer
from tests.reporters.samples import SAMPLES

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(<stdin>|[^./][^<>]*)$"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""The table "Code Quality report format" of GitLab's documentation."""
COMMAND = re.compile(r"::(?P<name>[a-z-]+)(?: (?P<properties>[^:\r\n]*(?:[^:\r\n]|:(?!:))*?))?::(?P<data>[^\r\n]*)")
"""`::name key=value,key=value::data`, as the runner reads it: the first `::` behind the name ends the properties."""


def rendered(name: str, sample: str) -> str:
    return reporter(name).render(view.build(SAMPLES[sample]), color=True, width=80, verbosity=0)


def found(sample: str) -> list[ReportFinding]:
    return findings(view.build(SAMPLES[sample]))


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands like the runner: split, then unescape."""
    read = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        pairs = dict(pair.split("=", 1) for pair in (match["properties"] or "").split(",") if pair)
        read.append((match["name"], {key: unescaped(value) for key, value in pairs.items()}, unescaped(match["data"])))
    return read


def unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


@pytest.mark.parametrize("sample", SAMPLES)
def test_github_reads_an_annotation_for_each_finding_that_it_will_show(sample: str) -> None:
    read = commands(rendered("github", sample))
    plan = SAMPLES[sample].plan
    expected = [("warning", "connform plan", f"needs --force: {one}") for one in (plan.refusals if plan else ())]
    expected += [
        (one.severity, f"connform: {one.code}", clean(line_breaks(one.text_with_related)))
        for severity in ("error", "warning")
        for one in [each for each in found(sample) if each.severity == severity][:SHOWN]
    ]
    shown = [
        (name, properties["title"], clean(line_breaks(data))) for name, properties, data in read if name != "notice"
    ]
    assert shown == expected
    for name, properties, _ in read:
        assert name in {"error", "warning", "notice"}
        assert set(properties) <= {"title", "file", "line", "endLine", "col", "endColumn"}


def line_breaks(text: str) -> str:
    return "\n".join(map(clean, text.splitlines()))


def test_github_is_told_how_many_it_does_not_show() -> None:
    name, _, text = commands(rendered("github", "validate-many"))[-1]
    assert name == "notice"
    assert text.startswith("15 more errors and 2 more warnings")


@pytest.mark.parametrize("sample", SAMPLES)
def test_gitlab_reads_a_code_quality_report(sample: str) -> None:
    report = json.loads(rendered("gitlab", sample))
    Draft202012Validator(CODE_QUALITY).validate(report)
    assert [one["check_name"] for one in report] == [one.code for one in found(sample)]
    assert len({one["fingerprint"] for one in report}) == len(report)


@pytest.mark.timeout(110)  # .NET compiles the tools at each start
def test_the_sarif_tools_of_microsoft_find_nothing_wrong(tmp_path: Path) -> None:
    """The runs of all samples stand in one log: the tools read their schema anew for each file."""
    tool = require_peer("sarif-multitool")
    logs = [json.loads(rendered("sarif", sample)) for sample in SAMPLES]
    runs = [run for log in logs for run in log.pop("runs")]
    assert logs == [logs[0]] * len(logs), "they differ in nothing but their runs"
    (tmp_path / "all.sarif").write_text(json.dumps({**logs[0], "runs": runs}), encoding="utf-8")
    done = subprocess.run(
        [tool, "validate", "all.sarif", "--output", "verdict"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout
    (run,) = json.loads((tmp_path / "verdict").read_text(encoding="utf-8-sig"))["runs"]
    seen = [one for one in run.get("results", []) if one["ruleId"] == "SARIF2005"]
    assert len(seen) == len(SAMPLES), "no home page yet"
    assert [one for one in run["results"] if one.get("level") == "error" or one not in seen] == []


@pytest.mark.parametrize("sample", SAMPLES)
def test_sarif_has_a_result_for_each_finding_at_its_place(sample: str) -> None:
    (run,) = json.loads(rendered("sarif", sample))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["invocations"][0]["exitCode"] == SAMPLES[sample].exit_code
    for result, one in zip(run["results"], found(sample), strict=True):
        assert (rules[result["ruleIndex"]], result["level"]) == (one.code, one.severity)
        places = [place for place in result.get("locations", []) if "physicalLocation" in place]
        assert bool(places) == bool(one.place["file"])
        for place in places:
            physical = place["physicalLocation"]
            assert unquote(physical["artifactLocation"]["uri"]) == one.place["file"]
            assert physical["region"]["startLine"] == one.place["line"]
            assert physical["region"]["startColumn"] == one.place["column"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_junitparser_reads_a_case_for_each_connection_or_manifest(sample: str) -> None:
    report = SAMPLES[sample]
    read = JUnitXml.fromstring(rendered("junit", sample).encode())
    (suite,) = read
    verdicts = {one.name: str(one.verdict) for one in report.connections if one.verdict}
    cases = {case.name: sorted(type(result).__name__ for result in case.result) for case in suite}
    assert {name: cases[name] for name in verdicts} == {
        name: {"failed": ["Failure"], "unknown": ["Error"], "skipped": ["Skipped"]}.get(verdict, [])
        for name, verdict in verdicts.items()
    }
    is_bad = any(results not in ([], ["Skipped"]) for results in cases.values())
    assert is_bad == (report.exit_code not in {ExitCode.OK, ExitCode.CHANGES})
    assert (read.tests, read.failures, read.errors) == (suite.tests, suite.failures, suite.errors)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_markdown_reader_sees_one_table_with_these_words_and_no_markup_of_a_stranger(sample: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(rendered("markdown", sample))
    kinds = {child.type for token in tokens for child in [token, *(token.children or [])]}
    assert kinds <= {
        *(
            "heading_open",
            "heading_close",
            "inline",
            "text",
            "text_special",
            "code_inline",
            "paragraph_open",
            "paragraph_close",
        ),
        *(f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")),
    }
    cells = [
        "".join(child.content for child in token.children or [])
        for before, token in pairwise(tokens)
        if before.type == "td_open"
    ]
    for one in found(sample):
        assert clean(" ".join(one.text_with_related.split())) in [cell.replace("\u200b", "") for cell in cells]
    assert not re.search(r"(?<!\w)@\w", rendered("markdown", sample)), "GitHub would call somebody"


def test_markdown_that_is_too_long_leaves_out_whole_rows_and_says_how_many() -> None:
    report = SAMPLES["validate-errors"]
    many = report._replace(diagnostics=report.diagnostics * 2000)
    text = reporter("markdown").render(view.build(many), color=False, width=80, verbosity=0)
    rows = text.count("\n| ❌") + text.count("\n| ⚠️")
    assert len(text) < MAX_CHARACTERS
    assert f"… and {len(many.diagnostics) - rows} more" in text


@pytest.mark.parametrize("refusals", [0, 1, 21, 5_000])
@pytest.mark.parametrize("changes", [1, 5_000])
def test_a_plan_that_is_too_long_for_markdown_says_first_what_it_is_refused_for(changes: int, refusals: int) -> None:
    report = SAMPLES["plan"]
    assert report.plan is not None
    told = tuple(f"team-{number} is in production and would move from {'a' * 200} to b" for number in range(refusals))
    many = report._replace(connections=report.connections * changes, plan=report.plan._replace(refusals=told))
    text = reporter("markdown").render(view.build(many), color=False, width=80, verbosity=0)
    assert len(text) < MAX_CHARACTERS
    heading, *_ = text.partition("| Action")
    assert heading.count("needs `--force`") == min(refusals, 20)
    assert (f"… and {refusals - 20} more reasons" in heading) == (refusals > 20)
    assert report.plan.digest in heading
    rows = sum(text.count(f"\n| {action} |") for action in ("create", "update", "remove"))
    assert rows == 3 * changes or f"… and {3 * changes - rows} more" in text


def test_github_says_what_a_plan_is_refused_for() -> None:
    report = SAMPLES["plan"]
    assert report.plan is not None
    told = tuple(f"team-{number} would move\nto 100 %: b" for number in range(12))
    many = report._replace(plan=report.plan._replace(refusals=told))
    lines = reporter("github").render(view.build(many), color=False, width=80, verbosity=0).splitlines()
    shown = [line for line in lines if line.startswith("::warning title=connform plan::needs --force: team-")]
    assert len(shown) == 10
    assert shown[0].endswith("team-0 would move�to 100 %25: b")
    assert "2 more reasons for --force" in lines[-1]


@pytest.mark.parametrize("sample", SAMPLES)
def test_concise_is_a_line_for_each_finding(sample: str) -> None:
    lines = rendered("concise", sample).splitlines()
    for line, one in zip(lines, found(sample), strict=True):
        place = one.place
        start = f"{place['file']}:{place['line']}:{place['column']}: " if place["file"] else ""
        assert line.startswith(f"{start}{one.severity}[{one.code}]: ")
        assert line.isprintable()


@pytest.mark.parametrize("sample", SAMPLES)
def test_json_lines_say_what_json_says(sample: str) -> None:
    lines = [json.loads(line) for line in rendered("jsonl", sample).splitlines()]
    kinds: dict[str, list[Any]] = {"diagnostic": [], "connection": [], "summary": []}
    for line in lines:
        kinds[line.pop("type")].append(line)
    (summary,) = kinds["summary"]
    whole = summary | {"diagnostics": kinds["diagnostic"], "connections": kinds["connection"]}
    assert whole == json.loads(rendered("json", sample))


def test_a_fingerprint_outlives_a_moved_line_and_tells_equal_findings_apart() -> None:
    report = SAMPLES["validate-many"]
    moved = report._replace(
        diagnostics=tuple(
            one._replace(span=one.span._replace(line=one.span.line + 7, end_line=one.span.end_line + 7))
            for one in report.diagnostics
        )
    )
    before, after = ([one.fingerprint for one in findings(view.build(each))] for each in (report, moved))
    assert before == after
    same = report._replace(diagnostics=report.diagnostics[:1] * 3)
    assert len({one.fingerprint for one in findings(view.build(same))}) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_for_ci_names_files_as_the_repository_does(name: str) -> None:
    seen = view.relocated(view.build(SAMPLES["validate-hostile-words"]), lambda file: f"deploy/{file}" if file else "")
    text = reporter(name).render(seen, color=False, width=200, verbosity=0)
    if uses_repository_paths(reporter(name)):
        assert "deploy" in text
