"""Turns declared connections into ready ones: `connform apply`. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.flags import parallel
from connform.cli.output import progress, reporting

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report


@click.command()
@parallel
@reporting
def command(options: Options, *, simulate: bool, parallelism: int, timeout_s: float | None) -> Report:
    """Resolve, check and build the ready clients."""
    from connform.engine.apply import apply

    with progress("checked", options) as show:
        return apply(
            options.files,
            options.selection,
            options.policies,
            simulate=simulate,
            parallelism=parallelism,
            timeout_s=timeout_s,
            progress=show,
        )
