"""`connform logout`: revokes and deletes a grant, or deletes an issued token. Layer 5, no IO of its own."""

from __future__ import annotations

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, POLICIES, common_flags, state_flags
from connform.cli.options import Options
from connform.cli.output import write_stdout
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation


@click.command(
    cls=Verb,
    examples={
        "connform logout customer-globex": "revoke the grant at its server, then delete it",
        "connform logout customer-globex --only-here": "delete it here, and leave it valid at its server",
    },
    page="guides/oauth",
)
@click.argument("name", shell_complete=completion_of("connections"))
@click.option("--only-here", is_flag=True, help="Delete the grant without asking its server to revoke it.")
@click.option(
    "--force", is_flag=True, help="Revoke it at another server than the one that gave it, if `revoke_url` says so."
)
@state_flags
@common_flags(FILES, POLICIES)
def command(options: Options, *, name: str, only_here: bool, force: bool, state: StateLocation) -> int:
    """Revoke a grant where its server can, and delete it.

    Where the server can't be reached nothing is deleted: the grant would live on there, and nobody could revoke it any more.
    A token that no person consented to is only deleted.
    """
    from connform.engine.login import logout

    message = logout(options.files, name, state=state, policies=options.policies, only_here=only_here, force=force)
    if not options.quiet:
        from connform.reporters.terminal import clean

        write_stdout(f"{clean(message)}\n")
    return 0
