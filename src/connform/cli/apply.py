"""`connform apply`: makes a plan and carries it out: checks connections, records the results. Layer 5. IO: asks a question on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from connform.cli.actor import current_actor
from connform.cli.color import wants_color
from connform.cli.flag_values import require_positive
from connform.cli.flags import SHARD, parallel_flags
from connform.cli.output import columns_of, write_stderr
from connform.cli.progress import progress
from connform.cli.reporting import reporting, write_note
from connform.cli.streams import is_attended
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report
    from connform.engine.run.state_location import StateLocation


@click.command(
    cls=Verb,
    examples={
        "connform apply": "show the plan, ask, then check and record what changed",
        "connform apply customer-globex": "one connection",
        "connform apply --plan plan.json": "in a CI job: exactly the plan that was reviewed",
        "connform apply --yes --simulate": "rehearse it, without secrets",
    },
    page="reference/state",
)
@click.option("--plan", "plan_file", metavar="FILE", help="Carry out a saved plan, and only that.")
@click.option("--expect-digest", metavar="DIGEST", help="Carry out the plan with this digest, and only that.")
@click.option("--yes", is_flag=True, help="Don't ask. Needed where there is no terminal.")
@click.option("--force", is_flag=True, help="Set the safety rules aside.")
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=float,
    default=60.0,
    callback=require_positive,
    metavar="SECONDS",
    help="How long to wait for another run; 60 by default.",
)
@SHARD
@parallel_flags
@reporting
def command(
    options: Options,
    *,
    plan_file: str | None,
    expect_digest: str | None,
    yes: bool,
    force: bool,
    lock_timeout_s: float,
    shard: tuple[int, int],
    simulate: bool,
    state: StateLocation,
    **limits: Any,
) -> Report:
    """Resolve, check and record what changed.

    What failed stays to be done: the next run tries it again. Without a plan that was agreed on, and without --yes, it asks.
    """
    from connform.engine.apply import apply
    from connform.engine.changes.approval import Approval
    from connform.engine.changes.plan_file import read_plan_file
    from connform.engine.run.context import simulator_of_command
    from connform.engine.run.shard import SINGLE_SHARD, Shard

    plan_from_file = read_plan_file(plan_file) if plan_file else None
    wanted_shard, selection = Shard(*shard), options.selection
    if plan_from_file is not None:
        if any(selection):
            message = "--plan says which connections it is about: leave out -c, --exclude, --tag, --changed-since and --allow-empty"
            raise UsageProblem(message)
        selection = plan_from_file.selection
        wanted_shard = plan_from_file.shard if wanted_shard == SINGLE_SHARD else wanted_shard
        if not set(wanted_shard.parts) <= set(plan_from_file.shard.parts):
            message = f"the plan in {plan_file} is that of shard {plan_from_file.shard}, which has no part of shard {wanted_shard}"
            raise UsageProblem(message)
    is_agreed = bool(plan_from_file or expect_digest or yes or simulate)
    approval = Approval(plan_from_file, expect_digest or "", force, None if is_agreed else _confirmation(options))
    with simulator_of_command(simulate=simulate) as simulator, progress(options) as told:
        return apply(
            options.files,
            selection,
            options.policies,
            by=current_actor(),
            approval=approval,
            shard=wanted_shard,
            simulate=simulate,
            simulator=simulator,
            lock_timeout_s=lock_timeout_s,
            progress=told,
            state=state,
            **limits,
        )


def _confirmation(options: Options) -> Any:
    """Return a function that shows a plan and asks a person to approve it."""

    def confirm(report: Report) -> bool:
        from datetime import UTC, datetime

        from connform.reporters import text, view

        if options.no_input or not is_attended():
            from connform.errors import Refused

            message = "nothing was applied: there is no terminal to ask on; look at `connform plan`, and give --yes"
            raise Refused(message)
        color, width, verbosity = wants_color(sys.stderr, options), columns_of(sys.stderr), max(options.verbosity, 0)
        shown = text.render_on_terminal(
            view.build(report), color=color, width=width, verbosity=verbosity, now=datetime.now(UTC)
        )
        write_note(report, options)
        write_stderr(shown, color=color)
        try:
            return click.confirm("Apply these changes?", err=True)
        except click.Abort:
            write_stderr("\nnothing was applied\n")
            raise

    return confirm
