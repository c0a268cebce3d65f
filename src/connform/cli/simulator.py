"""`connform simulator`: runs the simulated iinked Sign on loopback until it is interrupted.

Layer 5. IO: the simulator's socket, the file of its CA, signals.
"""

from __future__ import annotations

import gc
import json
import logging
import signal
import sys
import tempfile
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import require_positive, require_writable
from connform.cli.flags import common_flags
from connform.cli.options import Options
from connform.cli.output import save, write_stderr, write_stdout
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.errors import ConnformError

if TYPE_CHECKING:
    from connform.simulator import Simulator

# The same at each start, so that a manifest and a shell stay as they are: nothing but this simulator accepts them.
_API_KEY = "simulated-key"
_CLIENT_ID = "simulated-app"
_CLIENT_SECRET = "simulated-secret"  # noqa: S105  (synthetic)
_REDIRECT_URI = "https://localhost:8443/callback"
_TEXT = """\
The simulated iinked Sign runs on this machine. Ctrl-C ends it.

address        {address}
CA file        {ca_file}
API key        {key}
client id      {client_id}
client secret  {client_secret}
redirect URL   any https one, or an http one to this machine

A manifest of two connections to it, for another terminal:

version: 1
connections:
  rehearsal-key:
    environment: private
    base_url: {address}/api/v1
    tls: {{ca_file: {quoted_ca_file}}}
    auth: {{method: api_key, api_key: "env://SIMULATED_KEY"}}
  rehearsal-oauth:
    environment: private
    base_url: {address}/api/v1
    tls: {{ca_file: {quoted_ca_file}}}
    auth:
      method: oauth2
      client_id: {client_id}
      client_secret: env://SIMULATED_SECRET
      redirect_uri: {redirect_uri}

export SIMULATED_KEY={key} SIMULATED_SECRET={client_secret}
connform login rehearsal-oauth
connform check
"""


@click.command(
    cls=Verb,
    examples={
        "connform simulator": "on a free port, until Ctrl-C",
        "connform simulator --port 18555 --ca-file ca.pem": "on one port, with its certificate in a file",
        "connform simulator --fault 127.0.0.1/connect/token=slow_token": "with tokens that come late",
    },
    page="guides/oauth",
)
@click.option("--port", type=int, default=0, metavar="N", help="A port of 127.0.0.1; a free one by default.")
@click.option("--ca-file", metavar="FILE", callback=require_writable, help="Where to write the CA's certificate.")
@click.option(
    "--token-lifetime",
    "lifetime_s",
    type=float,
    default=3600.0,
    callback=require_positive,
    metavar="SECONDS",
    help="How long access tokens of grants live; an hour by default.",
)
@click.option("--fault", "faults", multiple=True, metavar="HOST[/PATH]=NAME", help="What fails there. Repeatable.")
@common_flags()
def command(
    options: Options,
    *,
    port: int,
    ca_file: str,
    lifetime_s: float,
    faults: tuple[str, ...],
) -> int:
    """Run the simulated iinked Sign until interrupted.

    On a terminal, it prints a line for each request.
    `--fault 127.0.0.1/connect/token=slow_token` lets every token come late; a wrong NAME shows those that there are.
    """
    gc.enable()  # main() disables it for commands that end soon

    from connform.simulator import Simulator

    interrupted = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    simulator = Simulator(port=port, token_lifetime_s=lifetime_s)
    simulator.accept_api_key(_API_KEY)
    simulator.register_client(_CLIENT_ID, _CLIENT_SECRET)
    for fault in faults:
        _add_fault(simulator, fault)
    try:
        simulator.start()
    except OSError as error:
        message = f"can't listen on port {port}: {error.strerror}"
        raise UsageProblem(message, "end what has that port, or name another with --port") from error
    with simulator, tempfile.TemporaryDirectory(prefix="connform-") as folder:
        file = str(Path(ca_file or f"{folder}/ca.pem").absolute())
        save(file, simulator.ca_pem)
        write_stdout(_text(simulator.address, file))
        if sys.stderr.isatty() and not options.quiet:
            _log_requests()
        interrupted.wait()
        if sys.stderr.isatty():
            write_stderr("\n")  # behind the ^C that the terminal shows
    return 0


def _text(address: tuple[str, int], ca_file: str) -> str:
    return _TEXT.format(
        address=f"https://{address[0]}:{address[1]}",
        ca_file=ca_file,
        quoted_ca_file=json.dumps(ca_file),
        key=_API_KEY,
        client_id=_CLIENT_ID,
        client_secret=_CLIENT_SECRET,
        redirect_uri=_REDIRECT_URI,
    )


class _RequestLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write_stderr(f"{self.format(record)}\n")


def _log_requests() -> None:
    """Write a line for each request to standard error: time, method, host and path, status. No query, header or body."""
    log = _RequestLog()
    log.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("connform.simulator")
    logger.setLevel(logging.INFO)
    logger.addHandler(log)


def _add_fault(simulator: Simulator, text: str) -> None:
    target, _, name = text.rpartition("=")
    host, slash, path = target.partition("/")
    if not (host and name):
        raise UsageProblem("--fault takes HOST=NAME or HOST/PATH=NAME")
    try:
        simulator.fail(host, name, path=f"{slash}{path}")
    except ConnformError as error:
        raise UsageProblem(str(error)) from None
