"""`connform check`: checks connections live; records the results if asked to. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.flags import KEEP, parallel_flags
from connform.cli.progress import progress
from connform.cli.reporting import reporting
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from datetime import timedelta

    from connform.cli.options import Options
    from connform.engine.report import Report
    from connform.engine.run.recording import Recording
    from connform.engine.run.state_location import StateLocation


@click.command(
    cls=Verb,
    examples={
        "connform check": "every connection",
        "connform check customer-globex 'sandbox-*'": "those with these names",
        "connform check --tag ci --simulate": "those with a tag, rehearsed without secrets",
        "connform check --record --format json --output connections.json": "in a timer or a CI job: record what was found",
    },
    page="reference/verdicts",
)
@click.option("--record", is_flag=True, help="Record the results in the state; `connform state` shows them.")
@KEEP
@parallel_flags
@reporting
def command(
    options: Options,
    *,
    record: bool,
    keep: timedelta | None,
    simulate: bool,
    parallelism: int,
    timeout_s: float | None,
    state: StateLocation,
) -> Report:
    """Check connections live; change nothing.

    With --record, each result is recorded in the state: the latest, since when, changes, hourly figures. What `apply` recorded stays.
    """
    from connform.engine.check import check
    from connform.engine.run.context import simulator_of_command

    if record and simulate:
        message = "--record keeps what real servers answer, and --simulate asks none: leave one of them out"
        raise UsageProblem(message)
    if keep and not record:
        raise UsageProblem("--keep says how long results are kept, and nothing is recorded without --record")
    with simulator_of_command(simulate=simulate) as simulator, progress(options) as told:
        return check(
            options.files,
            options.selection,
            options.policies,
            simulate=simulate,
            parallelism=parallelism,
            timeout_s=timeout_s,
            progress=told,
            state=state,
            recording=_recording(keep) if record else None,
            processes=None,
            simulator=simulator,
        )


def _recording(keep: timedelta | None) -> Recording:
    from connform.cli.actor import current_actor
    from connform.engine.run.recording import KEEP_BY_DEFAULT, Recording

    return Recording(current_actor(), keep or KEEP_BY_DEFAULT)
