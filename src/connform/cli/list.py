"""`connform list`: lists the connections of the manifests. Layer 5, no IO of its own."""

from __future__ import annotations

import click

from connform.cli.options import Options
from connform.cli.reporting import reporting
from connform.cli.verb import Verb
from connform.engine.report import Report


@click.command(
    cls=Verb,
    examples={
        "connform list": "every connection, with its address and its tags",
        "connform list 'sandbox-*' --format json": "some, for a program",
        "connform list --changed-since origin/main": "those that differ from a commit",
    },
    page="reference/manifest",
)
@reporting
def command(options: Options) -> Report:
    """List the connections."""
    from connform.engine.inventory import list_connections

    return list_connections(options.files, options.selection, options.policies)
