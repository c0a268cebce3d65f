"""Turns manifests into diagnostics: `connform validate`. Layer 5. IO: with `--fix`, rewrites manifests, standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connform.cli.flags import completing
from connform.cli.output import reporting, say
from connform.cli.usage import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connform.cli.options import Options
    from connform.engine.report import Report


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completing("files"))
@click.option("--fix", "wants_fix", is_flag=True, help="First mend in the files what has one certain correction.")
@reporting
def command(options: Options, paths: tuple[str, ...], *, wants_fix: bool) -> Report:
    """Check manifests offline, without secrets and network."""
    files = options.files + paths
    if wants_fix:
        _mend(files, options)
    from connform.engine.validate import validate

    return validate(files, options.selection, options.policies)


def _mend(files: Sequence[str], options: Options) -> None:
    """Mend the files and say so.

    Raises:
        UsageProblem: there is no file to mend, it can't be written, or only a part of it is meant.
    """
    if "-" in files:
        message = "--fix writes files, and `-` is none"
        raise UsageProblem(message, "name the file, or mend what `connform validate -` says by hand")
    if options.connections or options.exclude or options.tags or options.changed_since:
        message = "--fix mends whole files: -c, --exclude, --tag and --changed-since choose connections"
        raise UsageProblem(message)
    from connform.engine.fix import fix
    from connform.reporters.terminal import clean

    for mended in fix(files):
        try:
            mended.write()
        except OSError as error:
            message = f"can't write {mended.name}: {error.strerror}"
            raise UsageProblem(message) from error
        if not options.quiet:
            say(f"mended {mended.number} in {clean(mended.name)}\n")
