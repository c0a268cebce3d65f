"""The group of all verbs: parses a command line, runs its verb, returns the exit code. Layer 5. IO: that of the verbs.

No verb, no engine and no reporter is imported before it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from connform.cli import GROUPS, VERBS
from connform.cli.flags import flags_before_verb
from connform.cli.help_option import WithHelp
from connform.cli.usage import UsageProblem, did_you_mean

_USAGE = 64
_DESCRIBED_GROUPS = 2
"""How many groups `connform` alone describes, so that all fits a terminal of 24 lines."""
_SETTINGS = {
    "terminal_width": 79,  # asking the terminal would import shutil: a fifth of bare Python's start-up
}


class LazyGroup(WithHelp, click.Group):
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
            every = f"the commands are {', '.join(VERBS)}; `connform help` describes them"
            raise UsageProblem("unknown command", did_you_mean(args[0], VERBS) or every)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from their table, then the options."""
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(verb, VERBS[verb][1]) for verb in verbs])
        click.Command.format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        """Say where the rest is described."""
        with formatter.section("Learn more"):
            formatter.write_dl(
                [
                    ("connform help COMMAND", "Examples and options of a command."),
                    ("connform help", "The pages of the manual: exit-codes, environment, formats, …"),
                ]
            )


def _change_folder(_context: click.Context, _parameter: click.Parameter, folder: str | None) -> None:
    if folder is None:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageProblem(f"-C: can't change into {folder}: {error.strerror}") from None


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings=_SETTINGS)
@click.option("--version", is_flag=True, help="Print the version.")
@click.option(
    "-C",
    "--chdir",
    metavar="FOLDER",
    is_eager=True,  # before the paths of other flags are looked at
    expose_value=False,
    callback=_change_folder,
    help="Run as if started in this folder.",
)
@flags_before_verb
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
    click.echo(_overview(context), err=True)
    return _USAGE


def _overview(context: click.Context) -> str:
    """Return the most used verbs with what they do, and the names of all others."""
    formatter = context.make_formatter()
    formatter.write_text(cli.help or "")
    formatter.write_paragraph()
    formatter.write_usage(context.command_path, "COMMAND [OPTIONS] [ARGS]...")
    titles = list(GROUPS)
    for title in titles[:_DESCRIBED_GROUPS]:
        with formatter.section(title):
            formatter.write_dl([(verb, VERBS[verb][1]) for verb in GROUPS[title]])
    formatter.write_paragraph()
    formatter.write_dl([(f"{title}:", ", ".join(GROUPS[title])) for title in titles[_DESCRIBED_GROUPS:]])
    formatter.write_paragraph()
    formatter.write_text("`connform help COMMAND` has examples; `connform help` has every option, and the manual.")
    return formatter.getvalue().rstrip()


def run(arguments: Sequence[str]) -> int:
    """Run the verb that arguments name, and return its exit code."""
    try:
        with cli.make_context("connform", list(arguments)) as context:
            return int(cli.invoke(context))
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
