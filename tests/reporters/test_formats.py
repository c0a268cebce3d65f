"""Every format renders every sample as in its folder; `CONNFORM_UPDATE=1 pytest tests/reporters` writes them anew."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

import pytest

from connform.reporters import FORMATS, reporter, view
from connform.reporters.html import CONTENT_SECURITY_POLICY
from connform.reporters.html.style import STYLE
from tests.reporters.samples import SAMPLES

UPDATE = bool(os.environ.get("CONNFORM_UPDATE"))  # read here: tests run in a clean environment
EXPECTED = Path(__file__).parent / "expected"
LOOKS = {
    "": {"color": False, "width": 100, "verbosity": 0},
    ".color": {"color": True, "width": 100, "verbosity": 0},
    ".quiet": {"color": False, "width": 100, "verbosity": -1},
    ".verbose": {"color": False, "width": 60, "verbosity": 1},
}
CASES = [(name, sample, look) for name in FORMATS for sample in SAMPLES for look in (LOOKS if name == "text" else [""])]


@pytest.mark.parametrize(("name", "sample", "look"), CASES)
def test_a_sample_renders_as_expected(name: str, sample: str, look: str) -> None:
    rendered = reporter(name).render(view.build(SAMPLES[sample]), **LOOKS[look])  # type: ignore[arg-type]  # the look of a table
    for same, word in (
        (STYLE, "STYLE"),
        (escape(CONTENT_SECURITY_POLICY), "POLICY"),
    ):  # on all pages of the format html
        rendered = rendered.replace(same, word)
    file = EXPECTED / name / f"{sample}{look}.out"
    if UPDATE:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rendered, encoding="utf-8", newline="")
    assert rendered == file.read_bytes().decode()


def test_no_expected_output_is_left_over() -> None:
    expected = {f"{name}/{sample}{look}.out" for name, sample, look in CASES}
    assert {file.relative_to(EXPECTED).as_posix() for file in EXPECTED.rglob("*.out")} == expected


@pytest.mark.parametrize("sample", SAMPLES)
def test_output_ends_with_one_newline_or_is_empty(sample: str) -> None:
    for name in FORMATS:
        for look in LOOKS.values():
            rendered = reporter(name).render(view.build(SAMPLES[sample]), **look)  # type: ignore[arg-type]  # the look of a table
            assert not rendered or (rendered.endswith("\n") and not rendered.endswith("\n\n"))
