"""`connform fmt`: writes manifests in the canonical layout. Layer 5. IO: rewrites the files, standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from connform.cli.color import wants_color
from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, OUTPUT, common_flags
from connform.cli.options import Options
from connform.cli.output import columns_of, write_data, write_output, write_stderr
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.diagnostics import Diagnostic
from connform.faults import ExitCode
from connform.layout.canonical import ModelChangedError

if TYPE_CHECKING:
    from connform.engine.fmt import Layout

_STDIN = "-"


@click.command(
    cls=Verb,
    examples={
        "connform fmt": "write the manifest in the canonical layout",
        "connform fmt --check": "in a CI job: change nothing, and exit with 3 if something would change",
        "connform fmt --diff teams/billing": "show what would change",
    },
    page="reference/layout",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion_of("files"))
@click.option("--check", is_flag=True, help="Change nothing; end with 3 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
@common_flags(FILES, OUTPUT)
def command(options: Options, *, paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Write manifests in the canonical layout.

    Prints the names of those that change. `-` reads standard input and writes standard output. A file that isn't YAML
    is left alone.
    """
    files = options.files + paths
    if _STDIN in files and len(files) > 1:
        raise UsageProblem("`-` stands alone: what comes out is one manifest")
    from connform.engine.fmt import fmt

    layouts, diagnostics, bugs = fmt(files)
    changed = [layout for layout in layouts if layout.is_changed]
    done = changed
    _print_diagnostics(diagnostics, options)
    if diff:
        from connform.engine.load.changed_files import diff_of
        from connform.reporters.terminal import clean

        write_output("".join(diff_of(layouts, clean)), options)
    elif _STDIN in files and not check:
        for layout in layouts:
            write_data(layout.after, options)
    else:
        done = [layout for layout in changed if check or _try_to_write(layout)]
        write_output("" if options.quiet else "".join(f"{_display_name(layout)}\n" for layout in done), options)
    if bugs:
        _print_bugs(bugs)
        raise bugs[0]  # the other files are written
    if diagnostics:
        return ExitCode.INVALID
    if len(done) < len(changed):
        return ExitCode.USAGE
    return ExitCode.WOULD_REFORMAT if check and changed else ExitCode.OK


def _display_name(layout: Layout) -> str:
    """Return the name of a file, without characters that break its line."""
    from connform.reporters.terminal import clean  # imported here for start-up: most runs print no name

    return clean(layout.name)


def _try_to_write(layout: Layout) -> bool:
    """Write a file, and return whether that worked. An error is printed; the run goes on with the other files."""
    try:
        layout.write()
    except OSError as error:
        write_stderr(f"error: can't write {_display_name(layout)}: {error.strerror or 'no reason given'}\n")
        return False
    return True


def _print_bugs(bugs: Sequence[ModelChangedError]) -> None:
    from connform.reporters.terminal import clean

    for bug in bugs:
        sys.stderr.write(f"error: {clean(str(bug))} is left as it is: laid out, it would say something else\n")


def _print_diagnostics(diagnostics: Sequence[Diagnostic], options: Options) -> None:
    """Print diagnostics to standard error: standard output is for layouts, diffs and names."""
    if not diagnostics:
        return
    from connform.engine.report import Report
    from connform.reporters import reporter
    from connform.reporters.view import build

    view = build(Report("fmt", diagnostics=tuple(diagnostics)))
    color = wants_color(sys.stderr, options)
    write_stderr(reporter("text").render(view, color=color, width=columns_of(sys.stderr), verbosity=-1), color=color)
