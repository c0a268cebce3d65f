"""`connform proxy`: offers connections to programs on this machine, which never see the credential.

Layer 5. IO: signals, and what `proxy_flags` opens.
"""

from __future__ import annotations

import signal
import sys
from threading import Event

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, POLICIES, common_flags, network_flags
from connform.cli.options import Options
from connform.cli.output import write_stderr, write_stdout
from connform.cli.proxy_flags import ACCESS_LOG, ALLOW, serving_connections
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation

_GRACE_S = 5
"""How long requests under way may take after SIGTERM."""


@click.command(
    cls=Verb,
    examples={
        "connform proxy sandbox-us": "on a free port of this machine, until Ctrl-C",
        "connform proxy sandbox-us --allow 'GET /packages/*'": "only these requests",
        "connform proxy sandbox-us --listen unix:/run/connform.sock": "on a socket of mode 0600",
    },
    page="reference/proxy",
)
@click.argument("names", nargs=-1, required=True, shell_complete=completion_of("connections"), metavar="NAME...")
@click.option(
    "--listen",
    "address",
    default="127.0.0.1:0",
    metavar="ADDRESS",
    help="127.0.0.1:PORT or unix:/path.sock; default: a free port.",
)
@ALLOW
@ACCESS_LOG
@network_flags
@common_flags(FILES, POLICIES)
def command(
    options: Options,
    *,
    names: tuple[str, ...],
    address: str,
    allow: tuple[str, ...],
    log_file: str | None,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Offer connections to programs that never see the credential.

    It prints each name with a base URL, then `ready`. A program sends its requests there; connform adds the credential, renews it, and
    sends them to the connection's own origin alone. Only programs of the same user may use it, and only with the random path of this run.
    SIGTERM and Ctrl-C end it; requests under way get 5 seconds.
    """
    from connform.engine.proxy import offered_connections

    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with (
        offered_connections(
            options.files,
            list(dict.fromkeys(names)),
            simulate=simulate,
            timeout_s=timeout_s,
            state=state,
            policies=options.policies,
        ) as offered,
        serving_connections(
            offered.connections, address=address, allow=allow, log_file=log_file, grace_s=_GRACE_S
        ) as urls,
    ):
        width = max(map(len, urls))
        lines = [f"{name:<{width}}  {url}" for name, url in urls.items()]
        write_stdout("\n".join([*lines, "ready", ""]))
        ended.wait()
        if sys.stderr.isatty():
            write_stderr("\n")  # behind the ^C that the terminal shows
    return 0
