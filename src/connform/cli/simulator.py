"""`connform simulator`: runs the simulated iinked Sign on loopback until it is interrupted.

Layer 5. IO: the simulator's socket, the file of its CA, signals.
"""

from __future__ import annotations

import gc
import signal
import tempfile
from threading import Event
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import require_positive, require_writable
from connform.cli.flags import common_flags
from connform.cli.options import Options
from connform.cli.output import save, write_stdout
from connform.cli.usage import UsageProblem
from connform.errors import ConnformError

if TYPE_CHECKING:
    from connform.simulator import Simulator


@click.command()
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
@common_flags
def command(
    options: Options,  # noqa: ARG001  (every verb takes them)
    *,
    port: int,
    ca_file: str,
    lifetime_s: float,
    faults: tuple[str, ...],
) -> int:
    """Run the simulated iinked Sign until interrupted.

    `--fault 127.0.0.1/connect/token=slow_token` lets every token come late; a wrong NAME shows those that there are.
    """
    gc.enable()  # main() disables it for commands that end soon

    from connform.simulator import Simulator

    interrupted = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    simulator = Simulator(port=port, token_lifetime_s=lifetime_s)
    for fault in faults:
        _add_fault(simulator, fault)
    try:
        simulator.start()
    except OSError as error:
        raise UsageProblem(f"can't listen on port {port}: {error.strerror}") from error
    with simulator, tempfile.TemporaryDirectory(prefix="connform-") as folder:
        file = ca_file or f"{folder}/ca.pem"
        save(file, simulator.ca_pem)
        host, bound_port = simulator.address
        write_stdout(f"address  https://{host}:{bound_port}\nCA file  {file}\nAPI key  {simulator.issue_api_key()}\n")
        interrupted.wait()
    return 0


def _add_fault(simulator: Simulator, text: str) -> None:
    target, _, name = text.rpartition("=")
    host, slash, path = target.partition("/")
    if not (host and name):
        raise UsageProblem("--fault takes HOST=NAME or HOST/PATH=NAME")
    try:
        simulator.fail(host, name, path=f"{slash}{path}")
    except ConnformError as error:
        raise UsageProblem(str(error)) from None
