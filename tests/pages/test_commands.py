"""The commands that a page shows can be typed: their verbs, flags and arguments exist."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from connform.cli.group import cli
from tests.pages.blocks import PAGES, ROOT, commands

PLACEHOLDERS = {"…", "..."}
OF_AN_EXAMPLE = {"prometheus=connform.prom": "text"}
"""What a package that a page describes would add → what stands for it here."""


def parse(arguments: list[str], *, whole: bool) -> None:
    """Parse a command line without running it.

    Raises:
        click.UsageError: for what doesn't exist, and for what is missing if the command is whole.
    """
    command: click.Command = cli
    context = cli.make_context("connform", arguments)
    while isinstance(command, click.Group) and (rest := [*_protected(context), *context.args]):
        name, found, rest = command.resolve_command(context, rest)
        assert found
        try:
            context = found.make_context(name, rest, parent=context)
        except click.MissingParameter:
            if whole:
                raise
            return
        command = found


def _protected(context: click.Context) -> list[str]:
    """Return the name of a group's command, which click keeps under a name that its versions don't agree on."""
    kept: list[str] = vars(context).get("_protected_args") or vars(context).get("protected_args") or []
    return kept


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
