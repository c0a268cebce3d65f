"""Reports of the verbs: written in every format that was asked for, to standard output, files and a job's summary.

Layer 5. IO: reads the clock, and variables of CI systems; a job's summary; otherwise as `output.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, Any, TextIO

from connform.cli.color import wants_color
from connform.cli.flags import FILES, NAMES, POLICIES, REPORT, SELECTION, common_flags
from connform.cli.inert import Syntax, inert
from connform.cli.interruption import INTERRUPTION
from connform.cli.leave_to_exit import leave_to_exit
from connform.cli.output import columns_of, save, write_messages, write_output, write_stderr

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report
    from connform.reporters import Reporter
    from connform.reporters.view import View

_MAX_SUMMARY_BYTES = 2**20
"""GitHub drops the whole summary of a step that is longer."""


def reporting(function: Callable[..., Report]) -> Callable[..., Any]:
    """Decorate a function that returns a report: as a verb, it writes the report and returns the exit code."""

    @wraps(function)
    def run_and_emit(options: Options, **arguments: Any) -> int:
        return finish(function(options, **arguments), options)

    return common_flags(FILES, POLICIES, SELECTION, NAMES, REPORT)(run_and_emit)


def finish(report: Report, options: Options) -> int:
    """Write a report, and return the exit code: that of the report, or after an interruption the one of the signal."""
    if report.interruption:
        from connform.faults import ExitCode

        report = report._replace(interruption=ExitCode(INTERRUPTION.exit_code))
    write_note(report, options)
    emit(report, options)
    if report.unrecorded:
        from connform.cli.failure import print_message

        for failure in report.unrecorded:
            print_message(f"error[{failure.fault.name}]", f"results were not recorded: {failure.message}", failure.hint)
    return int(report.exit_code)


def write_note(report: Report, options: Options) -> None:
    """Write the note of a report to standard error, unless `-q` was given."""
    if report.note and not options.quiet:
        write_messages(f"note: {report.note}")


def emit(report: Report, options: Options) -> None:
    """Write a report in every format that was asked for, standard output first."""
    from datetime import UTC, datetime

    from connform.reporters import (
        dated_renderer,
        has_messages,
        renderer_on_terminal,
        reporter,
        syntax_of,
        uses_repository_paths,
    )
    from connform.reporters.view import build, relocated

    view, now = build(report), datetime.now(UTC)

    @cache
    def view_of_the_repository() -> View:
        from connform.cli.repository_paths import relative_to_roots, roots  # few formats show such paths

        return relocated(view, cache(partial(relative_to_roots, roots())))

    def rendered(name: str, *, color: bool = False, terminal: TextIO | None = None) -> str:
        chosen = reporter(name)
        view_for_format = view_of_the_repository() if uses_repository_paths(chosen) else view
        width, verbosity = columns_of(terminal), options.verbosity
        render_on_terminal = renderer_on_terminal(chosen) if terminal else None
        if render_at := dated_renderer(chosen):
            return render_at(view_for_format, now=now)
        if render_on_terminal:
            return render_on_terminal(view_for_format, color=color, width=width, verbosity=verbosity, now=now)
        return chosen.render(view_for_format, color=color, width=width, verbosity=verbosity)

    def syntax(name: str) -> Syntax:
        return Syntax(syntax_of(reporter(name)))

    color = not options.output and wants_color(sys.stdout, options)
    terminal = sys.stdout if sys.stdout.isatty() and not options.output else None
    text = rendered(options.format, color=color, terminal=terminal)
    write_output(text, options, syntax(options.format), color=color)
    for name, file in options.formats:
        if file:
            save(file, inert(rendered(name), syntax(name)).encode(errors="backslashreplace"))
    if options.formats and not any(has_messages(reporter(name)) for name, _ in options.formats):
        failures = reporter("text").render(view, color=False, width=columns_of(sys.stderr), verbosity=-1)
        write_stderr(failures)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and any(name == "github" for name, _ in options.formats):
        _append_to_summary(summary, inert(rendered("markdown")).encode())
    leave_to_exit(view)


def lists_unchanged(options: Options) -> bool:
    """Whether a format that was asked for lists the connections of a plan for which there is nothing to do."""
    from connform.reporters import lists_unchanged

    return any(map(lists_unchanged, _reporters(options)))


def is_brief(options: Options) -> bool:
    """Whether no format that was asked for needs views of the connections that a plan changes."""
    from connform.reporters import is_brief

    return all(map(is_brief, _reporters(options)))


def _reporters(options: Options) -> list[Reporter]:
    from connform.reporters import reporter

    return [reporter(name) for name in {options.format, *(name for name, _ in options.formats)}]


def _append_to_summary(file: str, content: bytes) -> None:
    """Add to the summary of a job. A failure is a warning, and doesn't change the exit code."""
    from pathlib import Path

    try:
        with Path(file).open("ab") as summary:
            if summary.tell() + len(content) <= _MAX_SUMMARY_BYTES:
                summary.write(content)
                return
        reason = "it would be longer than GitHub takes"
    except OSError as error:
        reason = str(error.strerror)
    write_stderr(f"warning: can't add to the summary of the job: {reason}\n")
