"""`connform schema`: prints a JSON Schema, or writes all of them. Layer 5. IO: the folder of `--write`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import OUTPUT, common_flags
from connform.cli.inert import Syntax
from connform.cli.options import Options
from connform.cli.output import save, write_output
from connform.cli.saving import make_folder
from connform.cli.usage import UsageProblem, did_you_mean
from connform.cli.verb import Verb

_INVISIBLE = re.compile("[\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000]")
"""Invisible characters that patterns hold: they are written as escapes."""


@click.command(
    cls=Verb,
    examples={
        "connform schema": "the schema of manifests, for editors",
        "connform schema report": "the schema of reports in JSON",
        "connform schema --write schema": "all of them, into a folder",
    },
    page="guides/editors",
)
@click.argument("name", default="connections", shell_complete=completion_of("schemas"))
@click.option("--write", "folder", metavar="DIR", help="Write every schema as DIR/NAME.schema.json instead.")
@common_flags(OUTPUT)
def command(options: Options, *, name: str, folder: str | None) -> int:
    """Print the JSON Schema of manifests or of reports.

    NAME is connections (default), policy, plan, report or report-line.
    """
    from connform.reporters.schemas import SCHEMAS

    if name not in SCHEMAS:
        raise UsageProblem(f"a schema is one of {', '.join(SCHEMAS)}", did_you_mean(name, SCHEMAS))
    if folder is None:
        write_output(_render(SCHEMAS[name]), options, Syntax.JSON)
        return 0
    try:
        make_folder(folder)
    except OSError as error:
        raise UsageProblem(f"can't make {folder}: {error.strerror}") from error
    for schema_name, compose in SCHEMAS.items():
        save(f"{folder}/{schema_name}.schema.json", _render(compose).encode())
    return 0


def _render(compose: Callable[[], dict[str, Any]]) -> str:
    text = json.dumps(compose(), indent=2, ensure_ascii=False) + "\n"
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
