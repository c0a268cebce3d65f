"""Every explanation is true: its bad example gives exactly its code, its good one gives nothing at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import connform
from connform import registry
from connform.cli.main import main
from connform.diagnostics import CODES
from connform.engine.explain import explain, summaries
from connform.faults import FAULTS
from connform.layout.canonical import canonical
from tests.diagnostics.page import MARKER, generated

PAGES = Path(connform.__file__).parent / "explanations"
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "diagnostics.md"
LISTED = {
    "more-errors": ["unknown-environment", "missing-key"],
    "more-warnings": ["unused-template"],
}
"""What is listed where the rest is counted."""
UPDATE = bool(os.environ.get("CONNFORM_UPDATE"))  # read here: tests start from a clean environment


@pytest.fixture
def codes_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Callable[[str], set[str]]:
    """Writes the files of an example, runs its script, validates, and returns the codes of all diagnostics."""

    def run(example: str) -> set[str]:
        arguments = ["validate"]
        (tmp_path / ".git").mkdir()
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)  # an example may install a plug-in
        registry._entry_points.cache_clear()
        for kind, text in re.findall(r"```(\w+)\n(.*?)```", example, re.DOTALL):
            if kind == "yaml":
                named = re.match(r"# (\S+\.yaml)\n", text)
                file = tmp_path / (named[1] if named else "connections.yaml")
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, "utf-8")
            elif text.startswith("connform "):
                arguments = text.split()[1:]
            else:
                subprocess.run(["sh", "-euc", text], check=True)
        main([*arguments, "--format", "json"])
        return {one["code"] for one in json.loads(capsysbinary.readouterr().out)["diagnostics"]}

    return run


def test_every_code_has_a_page_and_no_page_is_left_over() -> None:
    assert {page.stem for page in PAGES.iterdir()} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_exactly_its_code(code: str, codes_of: Callable[[str], set[str]]) -> None:
    assert codes_of(explain(code).bad) == {code, *LISTED.get(code, ())}


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_gives_nothing(code: str, codes_of: Callable[[str], set[str]]) -> None:
    assert codes_of(explain(code).good) == set()


@pytest.mark.parametrize("code", CODES)
def test_an_example_is_short_and_legible(code: str) -> None:
    explanation = explain(code)
    for example in (explanation.bad, explanation.good):
        assert len(example.splitlines()) <= 32
        assert max(map(len, example.splitlines())) <= 110


@pytest.mark.parametrize("code", CODES)
def test_a_good_example_has_the_canonical_layout(code: str) -> None:
    for text in re.findall(r"```yaml\n(.*?)```", explain(code).good, re.DOTALL):
        assert canonical(text.encode(), "connections.yaml", set).decode() == text


def test_every_class_of_failure_is_explained() -> None:
    assert [code for code, _, _ in summaries()] == [*CODES, *FAULTS]
    for fault in FAULTS.values():
        explanation = explain(fault.name)
        assert (explanation.kind, explanation.remedy) == (fault.verdict, fault.hint)
        assert f"exit code {int(fault.exit_code)}" in explanation.meaning
        assert f"`{fault.stage}`" in explanation.meaning


def test_the_document_is_made_from_the_pages() -> None:
    head, marker, rest = DOCUMENT.read_text("utf-8").partition(MARKER)
    if UPDATE:
        DOCUMENT.write_text(f"{head}{MARKER}\n{generated()}", "utf-8")
    else:
        assert marker
        assert rest == f"\n{generated()}", "run this test with CONNFORM_UPDATE=1 in the environment to write it"
