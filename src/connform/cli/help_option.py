"""`-h` and `--help`, which every command has. Layer 5. IO: standard output.

click's own option looks for a translation of its text, which connform has none of, and imports `locale` for that: two of the
milliseconds that `validate` of a small file takes.
"""

from __future__ import annotations

import click


def _show(context: click.Context, _parameter: click.Parameter, wants_help: bool) -> None:
    if wants_help and not context.resilient_parsing:
        click.echo(context.get_help(), color=context.color)
        context.exit()


HELP = click.Option(
    ["-h", "--help"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show,
    help="Show this message and exit.",
)


class WithHelp(click.Command):
    """A command with this option."""

    def get_help_option(self, ctx: click.Context) -> click.Option:  # noqa: ARG002  (click's signature)
        """Return the option."""
        return HELP
