"""Turns manifests into diagnostics: `connform validate`. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.output import reporting

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@reporting
def command(options: Options, paths: tuple[str, ...]) -> Report:
    """Check manifests offline, without secrets and network."""
    from connform.engine.validate import validate

    return validate(options.files + paths, options.selection)
