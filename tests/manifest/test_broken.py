"""Broken manifests, and exactly what must be said of each.

A case is a file `broken/<name>.yaml` with `<name>.expected` beside it, or a folder of files with `expected` inside.
A line of `expected` is a diagnostic: `code line:column`, in folders `code file:line:column`, then perhaps
`also line:column` for each related place and `= text` for the hint. `@CANARY@` in a manifest is a pasted secret.
Where `--fix` mends something, `<name>.fixed` is what it makes of the file.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connform.cli.main import main
from connform.diagnostics import CODES, Diagnostic, Span
from connform.engine.fix import fix
from connform.engine.load.manifest import examine
from connform.manifest.files import load_sources
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import Plant

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path for path in BROKEN.iterdir() if path.is_dir() or path.suffix == ".yaml")


@pytest.fixture(params=CASES, ids=lambda case: case.stem)
def case(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def folder(case: Path, tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The case's manifests in a folder of their own, which is the current one; the canary is pasted in."""
    for file in sorted(case.glob("*.yaml")) if case.is_dir() else [case]:
        plant(file.name, file.read_bytes().replace(b"@CANARY@", API_KEY.encode()))
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path) -> tuple[Diagnostic, ...]:
    sources, problems = load_sources([file.name for file in sorted(folder.glob("*.yaml"))])
    assert problems == []
    return examine(sources)[1].diagnostics


def test_a_broken_manifest(case: Path, folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What `validate` says of it, then what `--fix` makes of it; one test a case, since most of the cost is the preparation."""
    found = check(folder)
    assert_each_mistake_is_reported_once_at_its_place(case, found)
    assert_marks_lie_inside_of_their_lines(folder, found)
    for form in ("text", "json"):
        assert_no_output_shows_a_pasted_secret(case, folder, form, capsysbinary)
    assert_what_is_certain_is_mended_and_nothing_else_is_touched(case, folder)


def expected_of(case: Path) -> list[str]:
    return (case / "expected" if case.is_dir() else case.with_suffix(".expected")).read_text("utf-8").splitlines()


def assert_each_mistake_is_reported_once_at_its_place(case: Path, found: tuple[Diagnostic, ...]) -> None:
    assert [_line(one, with_file=case.is_dir()) for one in found] == expected_of(case)


def assert_marks_lie_inside_of_their_lines(folder: Path, found: tuple[Diagnostic, ...]) -> None:
    lines = {file.name: file.read_text("utf-8").split("\n") for file in folder.glob("*.yaml")}
    for one in found:
        span, here = one.span, lines[one.span.file]
        assert span.line <= len(here), one
        assert (span.line, span.column) < (span.end_line, span.end_column), one
        assert span.column <= len(here[span.line - 1]) + 1, one
        for snippet in (one.snippet, *(other.snippet for other in one.related)):
            if snippet:
                assert snippet.start <= len(snippet.text), one
                assert snippet.length >= 1
                assert_no_canary(snippet.text)


def assert_no_output_shows_a_pasted_secret(
    case: Path, folder: Path, form: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code = main(["validate", "-v", "--format", form, *(f"-f{file.name}" for file in sorted(folder.glob("*.yaml")))])
    output = capsysbinary.readouterr()
    assert_no_canary(output.out, output.err)
    errors = [line for line in expected_of(case) if CODES[line.split()[0]][0] == "error"]
    assert code == (1 if errors else 0)
    if form == "json":
        assert json.loads(output.out)["summary"]["errors"] == len(errors)


def assert_what_is_certain_is_mended_and_nothing_else_is_touched(case: Path, folder: Path) -> None:
    mended = [one for one in fix([str(file) for file in sorted(folder.glob("*.yaml"))]) if one.mended]
    fixed = case.with_suffix(".fixed")
    expected = [fixed.read_bytes().replace(b"@CANARY@", API_KEY.encode())] if fixed.exists() else []
    assert [one.after for one in mended] == expected
    for one in mended:
        one.write()
        assert [again.mended for again in fix([one.name])] == [()]


def test_enough_cases_paste_a_secret() -> None:
    assert sum("@CANARY@" in case.read_text("utf-8") for case in CASES if case.is_file()) >= 25


def test_every_code_of_the_schema_and_the_rules_has_a_case() -> None:
    said = {line.split()[0] for file in BROKEN.rglob("*expected") for line in file.read_text("utf-8").splitlines()}
    elsewhere = {
        # test_hostile.py and test_files.py: not legible, or too large to keep
        *("file-not-found", "file-unreadable", "file-too-large", "not-utf8", "yaml-too-deep", "yaml-scalar-too-long"),
        # test_cost.py
        *("more-errors", "more-warnings", "too-much-inherited"),
        # tests/policies/
        *("invalid-policy", "policy-unreadable"),
        "plugin-error",  # tests/end_to_end/test_broken_plugins.py
        "foreign-revoke-url",  # tests/oauth/test_logout.py: it takes what a server says
    }
    assert CODES.keys() - said - elsewhere == set()


def _line(one: Diagnostic, *, with_file: bool) -> str:
    related = "".join(f" also {_place(other.span, with_file=with_file)}" for other in one.related)
    return f"{one.code} {_place(one.span, with_file=with_file)}{related}" + (f" = {one.hint}" if one.hint else "")


def _place(span: Span, *, with_file: bool) -> str:
    return f"{span.file}:{span.line}:{span.column}" if with_file else f"{span.line}:{span.column}"
