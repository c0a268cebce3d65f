"""The group of all verbs: parses a command line, runs its verb, returns the exit code. Layer 5. IO: that of the verbs.

No verb, no engine and no reporter is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from connform.cli import VERBS
from connform.cli.flags import unmerged_flags
from connform.cli.usage import UsageProblem, did_you_mean

_USAGE = 64
_SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "terminal_width": 79,  # asking the terminal would import shutil: a fifth of bare Python's start-up
}


class LazyGroup(click.Group):
    """A group that imports a verb only when it is called; the list of verbs needs no import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the verbs in the order of their table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's signature)
        """Import a verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or suggest the one that was probably meant."""
        if args[0] not in VERBS:
            raise UsageProblem("unknown command", did_you_mean(args[0], VERBS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        """List the verbs from their table."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings=_SETTINGS)
@click.option("--version", is_flag=True, help="Print the version.")
@unmerged_flags
@click.pass_context
def cli(context: click.Context, /, *, version: bool, **before: Any) -> int:
    """Connections as code: declare, validate and check connections to APIs."""
    context.obj = before
    if context.invoked_subcommand:
        return 0
    if version:
        from connform import __version__

        click.echo(f"connform {__version__}")
        return 0
    click.echo(context.get_help(), err=True)
    return _USAGE


def run(arguments: Sequence[str]) -> int:
    """Run the verb that arguments name, and return its exit code."""
    try:
        with cli.make_context("connform", list(arguments)) as context:
            return int(cli.invoke(context))
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
