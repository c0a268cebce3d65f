"""Output of the verbs: reports, text and data on standard output or in files, messages on standard error.

Layer 5. IO: standard output, standard error, files that the user named, a job's summary; reads TERM, COLUMNS and
variables of CI systems.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, Any, TextIO

from connform.cli.color import wants_color
from connform.cli.flags import FILES, NAMES, POLICIES, REPORT, SELECTION, common_flags
from connform.cli.inert import Syntax, inert
from connform.cli.interruption import INTERRUPTION
from connform.cli.leave_to_exit import leave_to_exit
from connform.cli.usage import UsageProblem

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.report import Report
    from connform.reporters import Reporter
    from connform.reporters.view import View

_WIDTH_OF_LOGS = 120
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


def write_messages(*lines: str) -> None:
    """Write lines to standard error; on a terminal, one that is too long is wrapped between its words."""
    from connform.reporters.terminal import UNLIMITED
    from connform.reporters.wrapping import fold_rows

    width = columns_of(sys.stderr) if sys.stderr.isatty() else UNLIMITED
    write_stderr("".join(f"{line}\n" for line in fold_rows(lines, width)))


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


def roots() -> tuple[str, ...]:
    """Return the folders that paths may be relative to: those that a CI system names, then the nearest with `.git`, else this one.

    In a container or over SSH, a variable may name a folder of another machine: the first folder that holds a file counts.
    """
    from pathlib import Path  # few formats show such paths, and pathlib would cost start-up

    from_ci = [os.environ[name] for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR") if os.environ.get(name)]
    working_directory = Path.cwd()
    repository = next(
        (folder for folder in (working_directory, *working_directory.parents) if (folder / ".git").exists()),
        working_directory,
    )
    return tuple(map(os.path.realpath, (*from_ci, str(repository))))


def relative_to_roots(roots: Sequence[str], file: str) -> str:
    """Return a file's path relative to the first of `roots` that holds it, with slashes; else the absolute path."""
    if file in {"", "<stdin>"}:
        return file
    from pathlib import Path

    absolute = Path(os.path.realpath(file))
    relative = (absolute.relative_to(root) for root in roots if absolute.is_relative_to(root))
    return next(relative, absolute).as_posix()


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


def columns_of(stream: TextIO | None) -> int:
    """Return the columns of a stream: those of its terminal, else those of a log, also for `None`.

    `shutil` can do it too, but its import takes half of bare Python's start-up.
    """
    if stream is None or not stream.isatty():
        return _WIDTH_OF_LOGS
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH_OF_LOGS
    return _WIDTH_OF_LOGS


def row_width(options: Options) -> int:
    """Return the columns that a row of standard output may take: those of a terminal; elsewhere rows are as long as they are."""
    from connform.reporters.terminal import UNLIMITED

    return columns_of(sys.stdout) if sys.stdout.isatty() and not options.output else UNLIMITED


def write_output(text: str, options: Options, syntax: Syntax = Syntax.TEXT, *, color: bool = False) -> None:
    """Write text to the file of `--output`, or else to standard output."""
    if options.output:
        save(options.output, inert(text, syntax).encode(errors="backslashreplace"))
    else:
        write_stdout(text, syntax, color=color)


def write_stdout(text: str, syntax: Syntax = Syntax.TEXT, *, color: bool = False) -> None:
    """Write `inert` text to standard output and flush it; characters that the encoding lacks are replaced."""
    text = inert(text, syntax, color=color)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        from connform.reporters.terminal import ASCII

        text = text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    with ignore_closed_pipe():
        sys.stdout.write(text)
        sys.stdout.flush()


def write_data(content: bytes | memoryview, options: Options, *, is_secret: bool = False) -> None:
    """Write data of another program, or for one: unchanged, except on a terminal, which gets `inert` text.

    Args:
        content: a manifest, the body of an answer, a token.
        options: `--output` names a file to write instead of standard output.
        is_secret: whether only this user may read the file.
    """
    if options.output:
        save(options.output, content, is_secret=is_secret)
    elif sys.stdout.isatty():
        write_stdout(bytes(content).decode(errors="replace").replace("\r\n", "\n"))
    else:
        with ignore_closed_pipe():
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()


def write_stderr(text: str, *, color: bool = False) -> None:
    """Write `inert` text to standard error."""
    sys.stderr.write(inert(text, color=color))
    sys.stderr.flush()


@contextmanager
def ignore_closed_pipe() -> Iterator[None]:
    """Ignore that the reader of standard output has ended (`connform … | head`): the rest is discarded, the exit code stays.

    Raises:
        UsageProblem: standard output can't be written to for another reason: a full disk.
    """
    try:
        yield
    except BrokenPipeError:
        discard_stdout()
    except OSError as error:
        discard_stdout()
        if not (INTERRUPTION.has_come and error.errno == errno.EIO):  # the terminal was closed
            raise UsageProblem(f"can't write to standard output: {error.strerror}") from error


def discard_stdout() -> None:
    """Discard further standard output, above all the interpreter's last flush."""
    with suppress(OSError, ValueError):  # a stream without a descriptor, in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def save(file: str, content: bytes | memoryview, *, is_secret: bool = False) -> None:
    """Write a file as a whole or not at all; devices and pipes are written to directly.

    Args:
        file: its path; a link is followed if it stays in its repository.
        content: what is written.
        is_secret: whether only this user may read the file, from its first byte on.

    Raises:
        UsageProblem: it can't be written. That is a mistake of the command line, not of a connection.
    """
    from connform.cli.saving import write_named

    try:
        write_named(file, content, is_secret=is_secret)
    except OSError as error:
        raise unwritable_file(file, error) from error


def unwritable_file(file: str, error: OSError) -> UsageProblem:
    """Return the error for an output file that can't be written."""
    from connform.manifest.links import LinkLeavesError

    hint = "name the file itself, or remove the link" if isinstance(error, LinkLeavesError) else ""
    return UsageProblem(f"can't write {file}: {error.strerror}", hint)
