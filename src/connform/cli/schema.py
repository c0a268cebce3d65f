"""`connform schema`: prints a JSON Schema, or writes all of them. Layer 5. IO: the folder of `--write`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import click

from connform.cli.flags import common, completing
from connform.cli.inert import Syntax
from connform.cli.output import deliver, save
from connform.cli.saving import make_folder
from connform.cli.usage import UsageProblem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from connform.cli.options import Options

_INVISIBLE: Final = re.compile("[\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000]")
"""Invisible characters that patterns hold: they are written as escapes."""


@click.command()
@click.argument("name", default="connections", shell_complete=completing("schemas"))
@click.option("--write", "folder", metavar="DIR", help="Write every schema as DIR/NAME.schema.json instead.")
@common
def command(options: Options, *, name: str, folder: str | None) -> int:
    """Print the JSON Schema of manifests or of reports."""
    from connform.reporters.schemas import SCHEMAS

    if name not in SCHEMAS:
        message = f"a schema is one of {', '.join(SCHEMAS)}"
        raise UsageProblem(message, did_you_mean(name, SCHEMAS))
    if folder is None:
        deliver(_rendered(SCHEMAS[name]), options, Syntax.JSON)
        return 0
    try:
        make_folder(folder)
    except OSError as error:
        message = f"can't make {folder}: {error.strerror}"
        raise UsageProblem(message) from error
    for each, compose in SCHEMAS.items():
        save(f"{folder}/{each}.schema.json", _rendered(compose).encode())
    return 0


def _rendered(compose: Callable[[], dict[str, Any]]) -> str:
    text = json.dumps(compose(), indent=2, ensure_ascii=False) + "\n"
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
