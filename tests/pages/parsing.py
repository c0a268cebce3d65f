"""A command line of `connform`, parsed without being run."""

from __future__ import annotations

from collections.abc import Sequence

import click

from connform.cli.group import cli


def parse(arguments: Sequence[str], *, whole: bool) -> None:
    """Parse a command line without running it.

    Raises:
        click.UsageError: for what doesn't exist, and for what is missing if the command is whole.
    """
    command: click.Command = cli
    context = cli.make_context("connform", [*arguments])
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
