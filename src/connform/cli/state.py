"""`connform state`: lists, shows, exports, renames and deletes records of the state, copies it, changes its key. Layer 5, no IO of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from connform.cli.flag_values import completion_of, require_no_password, require_positive
from connform.cli.flags import FILES, NAMES_AND_TAGS, REPORT, common_flags, state_flags
from connform.cli.options import Options
from connform.cli.output import write_stdout
from connform.cli.reporting import finish
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation

_WITH_NAME = ("show", "history", "rm")
"""The subcommands that take one name."""
_WHOLE = {"copy": ("to_url", "to_key", "force"), "rotate-key": ("new_key",)}
"""The subcommands that are about whole databases, with the options that only they take."""


@click.command(
    cls=Verb,
    examples={
        "connform state list": "what was recorded of every connection",
        "connform state mv customer-globex customer-acme": "rename one, and keep its grant",
        "connform state copy --to postgresql:///connform --to-key env://CONNFORM_KEY": "go on in PostgreSQL",
        "connform state rotate-key": "seal the grants with a new key file",
    },
    page="reference/state",
)
@click.argument("what", type=click.Choice(["list", *_WITH_NAME, "mv", "export", "copy", "rotate-key"]))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion_of("connections"))
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=float,
    default=60.0,
    callback=require_positive,
    metavar="SECONDS",
    help="How long `rm`, `mv`, `copy` and `rotate-key` wait for other processes; 60 by default.",
)
@click.option("--to", "to_url", callback=require_no_password, metavar="URL", help="`copy`: where to, as with --state.")
@click.option("--to-key", metavar="REF", help="`copy`: the key of the grants there; default: a key file in its folder.")
@click.option("--new-key", metavar="REF", help="`rotate-key`: the new key; default: a new key file.")
@click.option("--force", is_flag=True, help="`copy`: although the state was copied elsewhere already.")
@state_flags
@common_flags(FILES, NAMES_AND_TAGS, REPORT)
def command(
    options: Options, *, what: str, names: tuple[str, ...], lock_timeout_s: float, state: StateLocation, **of_one: Any
) -> int:
    """List, show, rename, forget, export or copy what is recorded.

    \b
    list [NAME]...    what is known of every connection, or of some
    show NAME         everything that is known of one
    history NAME      every attempt that is remembered
    mv NAME NEW       give one another name, its history and its grant too
    rm NAME           forget one and its issued token; its grant stays
    export [NAME]...  everything, as JSON
    copy              copy everything to another database, which takes its place
    rotate-key        seal all grants and tokens with another key
    """  # noqa: D301  (click's mark for lines that stay as they are)
    from connform.engine.load.selection import EVERYTHING, Selection
    from connform.engine.state import forget, report_state

    _require_taken(what, of_one, is_selection=bool(names) or options.selection != EVERYTHING)
    if what in _WHOLE:
        from connform.cli.state_whole import copy, rotate

        act = copy if what == "copy" else rotate
        message = act(options.files, state, lock_timeout_s, **{name: of_one[name] for name in _WHOLE[what]})
        if not options.quiet:
            write_stdout(message)
        return 0
    if what == "mv":
        if len(names) != 2:  # noqa: PLR2004  (the two that the message names)
            raise UsageProblem(
                "`state mv` takes an old name and a new one", "connform state mv customer-globex customer-acme"
            )
        _move(options, *names, lock_timeout_s, state)
        return 0
    if what in _WITH_NAME and len(names) != 1:
        raise UsageProblem(f"`state {what}` takes the name of a connection", f"connform state {what} customer-globex")
    if what == "rm":
        forget(options.files, names[0], state=state, lock_timeout_s=lock_timeout_s)
        if not options.quiet:
            write_stdout(f"{names[0]} is forgotten; the next apply creates it anew if it is still declared\n")
        return 0
    if what in _WITH_NAME:
        selection = Selection(names)
    else:
        selection = options._replace(connections=options.connections + names).selection
    if what == "export" and all(file for _, file in options.formats):
        options = options._replace(formats=(*options.formats, ("json", "")))
    report = report_state(
        options.files,
        selection,
        state=state,
        command=f"state {what}",
        with_history=what in {"history", "export"},
        with_specifications=what != "list" or any(form != "text" for form, _ in options.formats),
    )
    return finish(report, options)


def _require_taken(what: str, of_one: Mapping[str, Any], *, is_selection: bool) -> None:
    """Require that a subcommand takes the options and the selection that were given."""
    for other, options in _WHOLE.items():
        if what != other and any(of_one[name] for name in options):
            raise UsageProblem(f"`state {what}` takes no option of `state {other}`", "see `connform state --help`")
    if what in _WHOLE and is_selection:
        raise UsageProblem(f"`state {what}` takes no names: it is about all connections", "see `connform state --help`")
    if what == "copy" and not of_one["to_url"]:
        raise UsageProblem(
            "`state copy` takes a target", "connform state copy --to postgresql://db.acme.example/connform"
        )


def _move(options: Options, name: str, new: str, lock_timeout_s: float, state: StateLocation) -> None:
    import re

    from connform.engine.state_move import move
    from connform.manifest.document_schema import NAME

    if name == new or not re.search(NAME, new):
        raise UsageProblem(f"`state mv` takes another name that a connection can have: not {new!r}")
    move(options.files, name, new, state=state, lock_timeout_s=lock_timeout_s)
    if not options.quiet:
        write_stdout(f"{name} is {new} now; rename it in its manifest as well, or the next apply removes it\n")
