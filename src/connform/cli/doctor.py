"""`connform doctor`: says what works on this machine and what is missing for this manifest. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import require_positive
from connform.cli.flags import state_flags
from connform.cli.progress import progress
from connform.cli.reporting import reporting
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report
    from connform.engine.run.state_location import StateLocation


@click.command(
    cls=Verb,
    examples={
        "connform doctor": "what works here, and what is missing for this manifest",
        "connform doctor customer-globex": "what one connection needs",
        "connform doctor --offline": "ask nothing over the network",
    },
    page="reference/doctor",
)
@click.option("--offline", is_flag=True, help="Ask nothing over the network.")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    default=10.0,
    callback=require_positive,
    metavar="SECONDS",
    help="For each store and server; 10 by default.",
)
@state_flags
@reporting
def command(options: Options, *, offline: bool, timeout_s: float, state: StateLocation) -> Report:
    """Say what works here and what is missing for a manifest.

    No secret is shown, and no credential is sent to an API. The exit code is 0 if this manifest can work here: what it doesn't
    need may be missing.
    """
    from connform.engine.doctor.doctor import doctor

    with progress(options) as told:
        return doctor(
            options.files,
            options.selection,
            options.policies,
            state=state,
            timeout_s=timeout_s,
            is_offline=offline,
            progress=told,
        )
