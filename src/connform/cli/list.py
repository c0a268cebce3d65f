"""`connform list`: lists the connections of the manifests. Layer 5, no IO of its own."""

from __future__ import annotations

import click

from connform.cli.options import Options
from connform.cli.output import reporting
from connform.engine.report import Report


@click.command()
@reporting
def command(options: Options) -> Report:
    """List the connections."""
    from connform.engine.inventory import list_connections

    return list_connections(options.files, options.selection, options.policies)
