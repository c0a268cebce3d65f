"""The commands that a page shows can be typed: their verbs, flags and arguments exist."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from tests.pages.blocks import PAGES, ROOT, commands
from tests.pages.parsing import parse

PLACEHOLDERS = {"…", "..."}
OF_AN_EXAMPLE = {"prometheus=connform.prom": "text"}
"""What a package that a page describes would add → what stands for it here."""


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_exists(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a file that a flag names isn't there
    wrong = []
    for line, arguments, whole in commands((ROOT / page).read_text("utf-8")):
        try:
            parse([OF_AN_EXAMPLE.get(word, word) for word in arguments if word not in PLACEHOLDERS], whole=whole)
        except (click.ClickException, click.exceptions.Exit) as problem:
            if not isinstance(problem, click.exceptions.Exit) or problem.exit_code:
                reason = problem.format_message() if isinstance(problem, click.ClickException) else "its flags"
                wrong.append(f"{page}:{line}: connform {' '.join(arguments)}: {reason}")
    assert wrong == []
