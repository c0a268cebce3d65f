"""`connform version`: prints the versions of connform and its libraries. Layer 5. IO: the packages' metadata."""

from __future__ import annotations

import json
import platform

import click

from connform import __version__
from connform.cli.flags import TEXT_OR_JSON, common_flags
from connform.cli.inert import Syntax
from connform.cli.options import Options
from connform.cli.output import write_output
from connform.cli.verb import Verb

_LIBRARIES = ("click", "httpx", "jsonschema", "PyYAML")


@click.command(
    cls=Verb,
    examples={
        "connform version": "the version of connform",
        "connform version -v": "also those of Python and of the libraries",
        "connform version --format json": "for a program",
    },
)
@common_flags(TEXT_OR_JSON)
def command(options: Options) -> int:
    """Print the version."""
    if options.format == "json":
        write_output(json.dumps(versions()) + "\n", options, Syntax.JSON)
    elif options.verbosity > 0:
        write_output("".join(f"{name} {version}\n" for name, version in versions().items()), options)
    else:
        write_output(f"connform {__version__}\n", options)
    return 0


def versions() -> dict[str, str]:
    """Return the versions of connform, of Python and of the libraries, in this order."""
    from importlib.metadata import version

    own = {"connform": __version__, "Python": platform.python_version()}
    return own | {name: version(name) for name in _LIBRARIES}
