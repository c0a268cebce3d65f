"""`connform plan`: shows what `apply` would do, and saves the plan. Layer 5, no IO of its own."""

from __future__ import annotations

import click

from connform.cli.flag_values import require_writable
from connform.cli.flags import (
    FILES,
    NAMES,
    PARALLELISM,
    POLICIES,
    REPORT,
    SELECTION,
    SHARD,
    TIMEOUT,
    common_flags,
    state_flags,
)
from connform.cli.leave_to_exit import leave_to_exit
from connform.cli.options import Options
from connform.cli.output import save
from connform.cli.progress import progress
from connform.cli.reporting import finish, is_brief, lists_unchanged
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation


@click.command(
    cls=Verb,
    examples={
        "connform plan": "what apply would do, from the manifest and the state alone",
        "connform plan --refresh": "also what is no longer as it was recorded",
        "connform plan --out plan.json": "save it, for `connform apply --plan plan.json`",
        "connform plan --detailed-exitcode --format markdown": "in a CI job: exit with 2 if there are changes",
    },
    page="reference/state",
)
@click.option("--refresh", is_flag=True, help="Look at the live side of what is applied as well.")
@click.option("--out", metavar="FILE", callback=require_writable, help="Save the plan, for `apply --plan FILE`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@SHARD
@PARALLELISM
@TIMEOUT
@state_flags
@common_flags(FILES, POLICIES, SELECTION, NAMES, REPORT)
def command(
    options: Options,
    *,
    refresh: bool,
    out: str,
    detailed_exitcode: bool,
    shard: tuple[int, int],
    parallelism: int,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Show what apply would do; change nothing.

    Without --refresh it needs neither secrets nor the network: the recorded state is what the manifests are compared with.
    """
    from connform.engine.plan import plan
    from connform.engine.run.shard import Shard

    with progress(options) as told:
        planned = plan(
            options.files,
            options.selection,
            options.policies,
            state=state,
            shard=Shard(*shard),
            refresh=refresh,
            timeout_s=timeout_s,
            parallelism=parallelism,
            progress=told,
            lists_unchanged=lists_unchanged(options),
            is_brief=is_brief(options),
        )
    report = planned.report
    if report.plan is not None:
        report = report._replace(plan=report.plan._replace(is_detailed=detailed_exitcode))
    code = finish(report, options)
    if out and planned.saved and not report.interruption:
        save(out, planned.saved.encode())
    leave_to_exit(planned)
    return code
