"""What a person's terminal must be able to rely on."""

from __future__ import annotations

import re

import pytest

from connform.reporters import table, terminal, text, view
from tests.reporters.samples import SAMPLES


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_control_character_reaches_a_terminal_without_colour(sample: str) -> None:
    rendered = text.render(view.build(SAMPLES[sample]), color=False, width=100, verbosity=1)
    assert rendered.replace("\n", "").isprintable()


@pytest.mark.parametrize("sample", SAMPLES)
def test_colour_changes_nothing_but_colour(sample: str) -> None:
    plain, coloured = (
        text.render(view.build(SAMPLES[sample]), color=color, width=100, verbosity=0) for color in (False, True)
    )
    assert re.sub(terminal._ESCAPES, "", coloured) == plain


@pytest.mark.parametrize(
    ("line", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("\x1b[31mred\x1b[0m", 3), ("", 0)]
)
def test_width(line: str, width: int) -> None:
    assert terminal.width_of(line) == width


def test_the_mark_stands_below_what_it_means_behind_tabs_and_wide_characters() -> None:
    lines = text.render(view.build(SAMPLES["validate-errors"]), color=False, width=100, verbosity=0).splitlines()
    for word in ("CA", "tgas", "sandbox-us:"):
        source = next(index for index, line in enumerate(lines) if "|" in line and word in line)
        mark = lines[source + 1]
        assert terminal.width_of(mark[: mark.index("^")]) == terminal.width_of(
            lines[source][: lines[source].index(word)]
        )


def test_every_glyph_has_an_ascii_one_of_the_same_width() -> None:
    glyphs = "".join(map(chr, terminal.ASCII))
    assert glyphs.translate(terminal.ASCII).isascii()
    assert all(terminal.width_of(glyph) == 1 for glyph in glyphs)


def test_columns_align_and_empty_ones_vanish() -> None:
    assert table.aligned_rows([["日", "", "x"], ["ab", "", ""], ["c", "", "z"]]) == ["日  x", "ab", "c   z"]


def test_quiet_says_nothing_when_all_is_well() -> None:
    assert not text.render(view.build(SAMPLES["check-ready"]), color=False, width=80, verbosity=-1)
