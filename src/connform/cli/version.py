"""`connform version`: prints the versions of connform and its libraries. Layer 5. IO: the packages' metadata."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Final

import click

from connform import __version__
from connform.cli.flags import common
from connform.cli.inert import Syntax
from connform.cli.output import deliver

if TYPE_CHECKING:
    from connform.cli.options import Options

_LIBRARIES: Final = ("click", "httpx", "jsonschema", "PyYAML")


@click.command()
@common
def command(options: Options) -> int:
    """Print the version."""
    if options.format == "json":
        deliver(json.dumps(versions()) + "\n", options, Syntax.JSON)
    elif options.verbosity > 0:
        deliver("".join(f"{name} {version}\n" for name, version in versions().items()), options)
    else:
        deliver(f"connform {__version__}\n", options)
    return 0


def versions() -> dict[str, str]:
    """Return the versions of connform, of Python and of the libraries, in this order."""
    from importlib.metadata import version

    own = {"connform": __version__, "Python": platform.python_version()}
    return own | {name: version(name) for name in _LIBRARIES}
