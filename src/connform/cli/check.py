"""`connform check`: checks connections live and records nothing. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.flags import parallel_flags
from connform.cli.output import reporting
from connform.cli.progress import progress
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report
    from connform.engine.run.state_location import StateLocation


@click.command(
    cls=Verb,
    examples={
        "connform check": "every connection",
        "connform check customer-globex 'sandbox-*'": "those with these names",
        "connform check --tag ci --simulate": "those with a tag, rehearsed without secrets",
        "connform check --format json --output connections.json": "in a CI job",
    },
    page="reference/verdicts",
)
@parallel_flags
@reporting
def command(
    options: Options, *, simulate: bool, parallelism: int, timeout_s: float | None, state: StateLocation
) -> Report:
    """Check connections live; record nothing."""
    from connform.engine.check import check

    with progress(options) as told:
        return check(
            options.files,
            options.selection,
            options.policies,
            simulate=simulate,
            parallelism=parallelism,
            timeout_s=timeout_s,
            progress=told,
            state=state,
        )
