"""Turns recorded state into reports: `connform state`. Layer 5, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from connform.cli.flags import common, completing, positive, stateful
from connform.cli.output import emit, write
from connform.cli.usage import UsageProblem

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.grants import State

_NAMED: Final = ("show", "history", "rm")
"""What is about one connection."""


@click.command()
@click.argument("what", type=click.Choice(["list", *_NAMED, "export"]))
@click.argument("name", required=False, shell_complete=completing("connections"))
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=float,
    default=60.0,
    callback=positive,
    metavar="SECONDS",
    help="How long `rm` waits for a run of apply; 60 by default.",
)
@stateful
@common
def command(options: Options, *, what: str, name: str | None, lock_timeout_s: float, state: State) -> int:
    """List, show, forget or export what is recorded.

    \b
    list          what is known of every connection
    show NAME     everything that is known of one
    history NAME  every attempt that is remembered
    rm NAME       forget one; its server hears nothing, its grant stays
    export        everything, as JSON
    """  # noqa: D301  (click's mark for lines that stay as they are)
    from connform.engine.recorded_state import forget, recorded
    from connform.engine.select import Selection

    if bool(name) != (what in _NAMED):
        message = (
            f"`state {what}` takes the name of a connection" if what in _NAMED else f"`state {what}` takes no name"
        )
        raise UsageProblem(message)
    if options.changed_since:
        message = (
            "--changed-since compares manifests with a commit, and `state` looks at what is recorded: leave it out"
        )
        raise UsageProblem(message)
    if what == "rm":
        forget(options.files, name or "", state=state, lock_timeout_s=lock_timeout_s)
        if not options.quiet:
            write(f"{name} is forgotten; the next apply creates it anew if it is still declared\n")
        return 0
    selection = Selection((name,)) if name else options.selection
    if what == "export":
        options = options._replace(formats=(*options.formats, ("json", "")))
    report = recorded(
        options.files,
        selection,
        state=state,
        command=f"state {what}",
        with_history=what in {"history", "export"},
        with_specifications=what != "list" or any(name != "text" for name, _ in options.formats),
    )
    emit(report, options)
    return int(report.exit_code)
