"""`connform graph`: prints a diagram of the connections. Layer 5. IO: runs Graphviz for SVG."""

from __future__ import annotations

import os
import subprocess

import click

from connform.cli.flags import FILES, NAMES, OUTPUT, POLICIES, SELECTION, common_flags, state_flags
from connform.cli.options import Options
from connform.cli.output import write_output
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation
from connform.programs import find_program

_SVG = "svg"


@click.command(
    cls=Verb,
    examples={
        "connform graph": "a diagram in Mermaid, for Markdown",
        "connform graph --format svg --output connections.svg": "a picture, drawn by Graphviz",
        "connform graph 'sandbox-*' --format dot": "some connections, for Graphviz",
    },
    page="reference/state",
)
@click.option(
    "--format", "kind", type=click.Choice(["mermaid", "dot", _SVG]), default="mermaid", help="mermaid by default."
)
@state_flags
@common_flags(FILES, POLICIES, SELECTION, NAMES, OUTPUT)
def command(options: Options, *, kind: str, state: StateLocation) -> int:
    """Draw the connections with their templates and stores.

    Connections stand by environment and region, in the colour of their recorded verdict. svg needs Graphviz.
    """
    from connform.engine.graph import graph
    from connform.reporters.graphs import GRAPHS

    nodes = graph(options.files, options.selection, options.policies, state=state)
    write_output(_svg(GRAPHS["dot"](nodes)) if kind == _SVG else GRAPHS[kind](nodes), options)
    return 0


def _svg(source: str) -> str:
    dot = find_program("dot", os.environ.get("PATH", ""))
    try:
        process = subprocess.run([dot, "-Tsvg"], input=source.encode(), capture_output=True, check=True, cwd=os.sep)  # noqa: S603  (whichever Graphviz is installed)
    except (OSError, subprocess.CalledProcessError) as error:
        message = "svg needs Graphviz: its `dot` can't be run; --format dot prints what it would draw"
        raise UsageProblem(message) from error
    return process.stdout.decode()
