"""`connform fmt`: writes manifests in the canonical layout. Layer 5. IO: rewrites the files, standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from connform.cli.flags import common, completing
from connform.cli.output import deliver, deliver_data, say, wants_color
from connform.cli.usage import UsageProblem
from connform.faults import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connform.cli.options import Options
    from connform.diagnostics import Diagnostic
    from connform.engine.fmt import Layout
    from connform.layout.canonical import ModelChangedError

_STDIN = "-"


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completing("files"))
@click.option("--check", is_flag=True, help="Change nothing; end with 3 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
@common
def command(options: Options, *, paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Write manifests in the canonical layout.

    Prints the names of those that change. `-` reads standard input and writes standard output. A file that isn't YAML
    is left alone.
    """
    files = options.files + paths
    if _STDIN in files and len(files) > 1:
        message = "`-` stands alone: what comes out is one manifest"
        raise UsageProblem(message)
    if options.connections or options.exclude or options.tags or options.changed_since:
        message = "fmt writes whole files: -c, --exclude, --tag and --changed-since choose connections"
        raise UsageProblem(message)
    from connform.engine.fmt import fmt, store_names

    layouts, found, bugs = fmt(files)
    changed = [layout for layout in layouts if layout.is_changed]
    done = changed
    _say(found, options)
    if diff:
        stores = store_names(layouts) if changed else ()
        deliver("".join(line for layout in changed for line in layout.diff(_shown(layout), stores)), options)
    elif _STDIN in files and not check:
        for layout in layouts:
            deliver_data(layout.after, options)
    else:
        done = [layout for layout in changed if check or _is_written(layout)]
        deliver("" if options.quiet else "".join(f"{_shown(layout)}\n" for layout in done), options)
    if bugs:
        _say_bugs(bugs)
        raise bugs[0]  # the other files are written
    if found:
        return ExitCode.INVALID
    if len(done) < len(changed):
        return ExitCode.USAGE
    return ExitCode.WOULD_REFORMAT if check and changed else ExitCode.OK


def _shown(layout: Layout) -> str:
    """Return the name of a file, without characters that break its line."""
    from connform.reporters.terminal import clean  # imported here for start-up: most runs print no name

    return clean(layout.name)


def _is_written(layout: Layout) -> bool:
    """Write a file, and return whether that worked. An error is printed; the run goes on with the other files."""
    try:
        layout.write()
    except OSError as error:
        say(f"error: can't write {_shown(layout)}: {error.strerror or 'no reason given'}\n")
        return False
    return True


def _say_bugs(bugs: Sequence[ModelChangedError]) -> None:
    from connform.reporters.terminal import clean

    for bug in bugs:
        sys.stderr.write(f"error: {clean(str(bug))} is left as it is: laid out, it would say something else\n")


def _say(found: Sequence[Diagnostic], options: Options) -> None:
    """Print diagnostics to standard error: standard output is for layouts, diffs and names."""
    if not found:
        return
    from connform.engine.report import Report
    from connform.reporters import reporter
    from connform.reporters.view import build

    view = build(Report("fmt", diagnostics=tuple(found)))
    color = wants_color(sys.stderr, options)
    say(reporter("text").render(view, color=color, width=120, verbosity=-1), color=color)
