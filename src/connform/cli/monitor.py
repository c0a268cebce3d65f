"""`connform monitor`: checks connections until it is stopped, and serves the results. Layer 5. IO: signals, the server's sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import parse_address, parse_duration
from connform.cli.flags import FILES, KEEP, NAMES, NAMES_AND_TAGS, POLICIES, common_flags, parallel_flags
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from datetime import timedelta

    from connform.cli.options import Options
    from connform.engine.run.state_location import StateLocation

_DEFAULT_INTERVAL = "5m"


@click.command(
    cls=Verb,
    examples={
        "connform monitor": "every 5 minutes; page and metrics at 127.0.0.1:9877",
        "connform monitor --tag production --interval 1m": "those with a tag, every minute",
        "connform monitor --listen 0.0.0.0:9877 --tls-cert tls.pem --auth-file auth": "for others",
        "connform monitor --state postgresql://connform@db.acme.example/connform": "as one of several replicas",
    },
    page="guides/monitoring",
)
@click.option(
    "--interval",
    "interval_s",
    default=_DEFAULT_INTERVAL,
    callback=parse_duration,
    metavar="TIME",
    help="How often each connection is checked: 30s, 5m (default), 1h.",
)
@click.option(
    "--secret-interval",
    "secret_interval_s",
    callback=parse_duration,
    metavar="TIME",
    help="How often secrets are read anew; by default as often as connections are checked.",
)
@KEEP
@click.option(
    "--listen",
    "address",
    default="127.0.0.1:9877",
    callback=parse_address,
    metavar="HOST:PORT",
    help="Where to serve; 127.0.0.1:9877 by default.",
)
@click.option("--tls-cert", "certificate", metavar="FILE", help="The server's certificate with its chain, PEM.")
@click.option("--tls-key", "key", metavar="FILE", help="Its private key, PEM, where that lies apart.")
@click.option("--insecure-http", is_flag=True, help="Serve other machines without TLS, behind a proxy that has it.")
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which the server may be asked, besides addresses and localhost. Repeatable.",
)
@click.option(
    "--auth-file",
    metavar="FILE",
    help="Who may read page, report and metrics: a token or `user:password` on each line.",
)
@parallel_flags
@common_flags(FILES, POLICIES, NAMES_AND_TAGS, NAMES)
def command(
    options: Options,
    *,
    interval_s: float,
    secret_interval_s: float | None,
    keep: timedelta | None,
    address: tuple[str, int],
    certificate: str | None,
    key: str | None,
    insecure_http: bool,
    allowed_hosts: tuple[str, ...],
    auth_file: str | None,
    simulate: bool,
    parallelism: int,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Check connections until stopped; serve a page and metrics.

    Each result is recorded in the state database, which replicas may share. SIGHUP reads manifests and secrets anew; SIGTERM and SIGINT end it.
    """
    from connform.cli.actor import current_actor
    from connform.cli.monitoring import Serving, run_monitor
    from connform.engine.monitor.settings import MonitorSettings
    from connform.engine.run.recording import KEEP_BY_DEFAULT

    settings = MonitorSettings(
        current_actor(),
        options.files,
        options.selection,
        options.policies,
        interval_s,
        secret_interval_s or interval_s,
        keep or KEEP_BY_DEFAULT,
        parallelism,
        timeout_s,
        state,
        simulate,
    )
    serving = Serving(*address, certificate or "", key or "", insecure_http, allowed_hosts, auth_file or "")
    return run_monitor(settings, serving, options)
