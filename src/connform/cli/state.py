"""`connform state`: lists, shows, exports, renames and deletes records of the state. Layer 5, no IO of its own."""

from __future__ import annotations

import click

from connform.cli.flag_values import completion_of, require_positive
from connform.cli.flags import common_flags, state_flags
from connform.cli.options import Options
from connform.cli.output import finish, write_stdout
from connform.cli.usage import UsageProblem
from connform.engine.run.state_location import StateLocation

_WITH_NAME = ("show", "history", "rm")
"""The subcommands that take one name."""


@click.command()
@click.argument("what", type=click.Choice(["list", *_WITH_NAME, "mv", "export"]))
@click.argument("name", required=False, shell_complete=completion_of("connections"))
@click.argument("new_name", metavar="[NEW]", required=False, shell_complete=completion_of("connections"))
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=float,
    default=60.0,
    callback=require_positive,
    metavar="SECONDS",
    help="How long `rm` and `mv` wait for a run of apply; 60 by default.",
)
@state_flags
@common_flags
def command(
    options: Options, *, what: str, name: str | None, new_name: str | None, lock_timeout_s: float, state: StateLocation
) -> int:
    """List, show, rename, forget or export what is recorded.

    \b
    list          what is known of every connection
    show NAME     everything that is known of one
    history NAME  every attempt that is remembered
    mv NAME NEW   give one another name, its history and its grant too
    rm NAME       forget one and its issued token; its server hears nothing, its grant stays
    export        everything, as JSON
    """  # noqa: D301  (click's mark for lines that stay as they are)
    from connform.engine.load.selection import Selection
    from connform.engine.state import forget, report_state

    name_count = 2 if what == "mv" else int(what in _WITH_NAME)
    if bool(name) + bool(new_name) != name_count:
        raise UsageProblem(
            f"`state {what}` takes {('no name', 'the name of a connection', 'an old name and a new one')[name_count]}"
        )
    if name and new_name:
        _move(options, name, new_name, lock_timeout_s, state)
        return 0
    if options.changed_since:
        raise UsageProblem(
            "--changed-since compares manifests with a commit, and `state` looks at what is recorded: leave it out"
        )
    if what == "rm":
        forget(options.files, name or "", state=state, lock_timeout_s=lock_timeout_s)
        if not options.quiet:
            write_stdout(f"{name} is forgotten; the next apply creates it anew if it is still declared\n")
        return 0
    selection = Selection((name,)) if name else options.selection
    if what == "export":
        options = options._replace(formats=(*options.formats, ("json", "")))
    report = report_state(
        options.files,
        selection,
        state=state,
        command=f"state {what}",
        with_history=what in {"history", "export"},
        with_specifications=what != "list" or any(name != "text" for name, _ in options.formats),
    )
    return finish(report, options)


def _move(options: Options, name: str, new: str, lock_timeout_s: float, state: StateLocation) -> None:
    import re

    from connform.engine.state_move import move
    from connform.manifest.document_schema import NAME

    if name == new or not re.search(NAME, new):
        raise UsageProblem(f"`state mv` takes another name that a connection can have: not {new!r}")
    move(options.files, name, new, state=state, lock_timeout_s=lock_timeout_s)
    if not options.quiet:
        write_stdout(f"{name} is {new} now; rename it in its manifest as well, or the next apply removes it\n")
