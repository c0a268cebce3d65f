"""The flags of `proxy` and `exec --proxy`, and the server that they set up. Layer 5. IO: the listening socket, the access log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EADDRINUSE
from typing import TYPE_CHECKING

import click

from connform.cli.usage import UsageProblem

if TYPE_CHECKING:
    from connform.engine.proxy import OfferedConnection

ALLOW = click.option(
    "--allow",
    "allow",
    multiple=True,
    metavar="'METHOD /PATH'",
    help="Only such requests, as `GET /packages/*`; it narrows what the manifest allows. Repeatable.",
)
ACCESS_LOG = click.option(
    "--access-log", "log_file", metavar="FILE", help="A line of JSON for each request; `-` is standard error."
)


@contextmanager
def serving_connections(
    connections: Sequence[OfferedConnection],
    *,
    address: str,
    allow: Sequence[str],
    log_file: str | None,
    grace_s: int,
) -> Iterator[dict[str, str]]:
    """Serve connections until the block ends, and yield the base URL of each by its name.

    Args:
        connections: what is offered.
        address: where to listen.
        allow: further rules, which narrow those of the connections.
        log_file: the access log; `None` for none.
        grace_s: how long requests under way may take at the end.
    """
    from connform.manifest.allow import AllowTable, BadRule
    from connform.servers.proxy import own_memory
    from connform.servers.proxy.access_log import AccessLog
    from connform.servers.proxy.listener import BadAddress, listen
    from connform.servers.proxy.route import Route
    from connform.servers.proxy.server import serving

    own_memory.hide()
    try:
        narrowing = [AllowTable(allow)] if allow else []
    except BadRule as error:
        raise UsageProblem(f"--allow: {error}") from None
    routes = {
        one.settings.name: Route(one.settings, [*narrowing, *([] if one.allow is None else [AllowTable(one.allow)])])
        for one in connections
    }
    try:
        log = AccessLog(log_file) if log_file else None
    except OSError as error:
        raise UsageProblem(f"--access-log: can't write {log_file}: {error.strerror}") from None
    try:
        listener = listen(address)
    except BadAddress as error:
        raise UsageProblem(str(error)) from None
    except OSError as error:
        message = f"--listen: can't listen on {address}: {error.strerror or error}"
        hint = "end what has that address, or name another" if error.errno == EADDRINUSE else "name another address"
        raise UsageProblem(message, hint) from None
    try:
        with serving(listener, routes, log, grace_s=grace_s) as urls:
            yield urls
    finally:
        if log:
            log.close()
