"""`connform secrets`: reads secrets without showing them, or lists the backends. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.progress import progress
from connform.cli.reporting import reporting
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report


@click.command(
    cls=Verb,
    examples={
        "connform secrets check": "which secret references can be resolved",
        "connform secrets check customer-globex": "those of one connection",
        "connform secrets backends": "which kinds of secret stores there are",
    },
    page="reference/secrets",
)
@click.argument("what", type=click.Choice(["check", "backends"]))
@reporting
def command(options: Options, *, what: str) -> Report:
    """Read secrets without showing them; list the backends.

    \b
    check [NAME]...  which references lead to a secret: from where, which version
    backends         where secrets may lie, and what is to be installed for it
    """  # noqa: D301  (click's mark for lines that stay as they are)
    from connform.engine.report import Report
    from connform.engine.secrets import backends, check_secrets

    if what == "backends":
        if options.connections:
            raise UsageProblem("`secrets backends` takes no name")
        return Report("secrets backends", backends=tuple(backends()))
    with progress(options) as told:
        return check_secrets(options.files, options.selection, options.policies, progress=told)
