"""Turns this process into a simulated iinked Sign on loopback: `connform simulator`.

Layer 5. IO: the simulator's socket, the file of its CA, signals.
"""

from __future__ import annotations

import gc
import signal
import tempfile
from threading import Event
from typing import TYPE_CHECKING

import click

from connform.cli.flags import common, writable
from connform.cli.output import save, write
from connform.cli.usage import UsageProblem

if TYPE_CHECKING:
    from connform.cli.options import Options


@click.command()
@click.option("--port", type=int, default=0, metavar="N", help="A port of 127.0.0.1; a free one by default.")
@click.option("--ca-file", metavar="FILE", callback=writable, help="Where to write the CA's certificate.")
@common
def command(options: Options, *, port: int, ca_file: str) -> int:  # noqa: ARG001
    """Run the simulated iinked Sign until interrupted."""
    gc.enable()  # main() disables it for commands that end soon

    from connform.simulator import Simulator

    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    simulator = Simulator(port=port)
    try:
        simulator.start()
    except OSError as error:
        message = f"can't listen on port {port}: {error.strerror}"
        raise UsageProblem(message) from error
    with simulator, tempfile.TemporaryDirectory(prefix="connform-") as folder:
        file = ca_file or f"{folder}/ca.pem"
        save(file, simulator.ca_pem)
        host, bound = simulator.address
        write(f"address  https://{host}:{bound}\nCA file  {file}\nAPI key  {simulator.issue_api_key()}\n")
        ended.wait()
    return 0
