"""`Verb`: a command whose help has examples, its own options, and where the rest is described. Layer 5, no IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from connform.cli.help_option import WithHelp

_FIXED_SPACE = "\N{NO-BREAK SPACE}"
"""Stands for a space where no line ends, until the lines are made."""


class Verb(WithHelp):
    """A command of connform."""

    def __init__(self, *arguments: Any, examples: Mapping[str, str], page: str = "", **settings: Any) -> None:
        """Take examples, each a command line with what it does, and the name of a page of the manual."""
        super().__init__(*arguments, **settings)
        self.examples = examples
        self.page = page

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples before the options."""
        with formatter.section("Examples"):
            for line, effect in self.examples.items():
                formatter.write(f"  # {effect}\n  {line}\n")
        super().format_options(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the shared flags that the verb takes, and the pages of the manual."""
        options = [parameter for parameter in self.params if isinstance(parameter, click.Option)]
        shared = [max(one.opts, key=len) for one in options if not (one.hidden or one.get_help_record(ctx))]
        pages = [f"`connform help {name}`" for name in (self.page, "exit-codes", "environment") if name]
        _write_section(formatter, "Global options", f"{', '.join(shared)}: `connform help` describes them.")
        _write_section(formatter, "Learn more", ", ".join(page.replace(" ", _FIXED_SPACE) for page in pages))


def _write_section(formatter: click.HelpFormatter, title: str, text: str) -> None:
    """Write a paragraph under a title; click's own would break `--allow-empty`."""
    from textwrap import fill  # imported here for start-up: only help wraps

    with formatter.section(title):
        lines = fill(text, formatter.width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        formatter.write(lines.replace(_FIXED_SPACE, " ") + "\n")
