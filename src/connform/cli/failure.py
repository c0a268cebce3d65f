"""The error message and the exit code for an exception that ended a verb. Layer 5. IO: standard error.

Of an unknown exception, the type and the frames are shown, never the message: it could hold a secret.
"""

from __future__ import annotations

import sys
from threading import Thread
from traceback import walk_tb
from types import CodeType

import click

import connform
from connform.cli.output import columns_of, discard_stdout, write_messages, write_stderr
from connform.cli.usage import message_and_hint
from connform.errors import ConnectionFailed, ConnformError, ManifestInvalid
from connform.faults import ExitCode
from connform.tracebacks import NOTE_START

_LIMIT_OF_THREADS = "raise the limit of processes of this user (`ulimit -u`) or container, or lower --parallelism"


def print_error(error: BaseException) -> int:
    """Print the error message and return the exit code."""
    match error:
        case click.UsageError():
            print_message("error", *message_and_hint(error))
            return ExitCode.USAGE
        case KeyboardInterrupt() | click.Abort():
            if sys.stderr.isatty():
                write_stderr("\n")  # behind the ^C that the terminal shows
            return ExitCode.INTERRUPTED
        case OSError() if _is_from(click.echo.__code__, error):  # verbs handle such errors of their own output
            discard_stdout()
            if isinstance(error, BrokenPipeError):
                return ExitCode.OK
            print_message("error", f"can't write to standard output: {error.strerror}")
            return ExitCode.USAGE
        case RuntimeError() if _is_from(Thread.start.__code__, error):
            print_message("error", "the system starts no more threads", _LIMIT_OF_THREADS)
            return ExitCode.COULD_NOT_VERIFY
        case ManifestInvalid():
            _print_diagnostics(error)
        case ConnectionFailed():
            print_message(f"error[{error.fault.name}]", error.message, error.hint)
        case ConnformError():
            print_message("error", str(error))
        case _:
            _print_bug(error)
    return error.exit_code if isinstance(error, ConnformError) else ExitCode.INTERNAL


def _is_from(function: CodeType, error: BaseException) -> bool:
    """Return whether an error comes from a function: from `click.echo`, which writes help and the version, or from a start of a thread."""
    return any(frame.f_code is function for frame, _ in walk_tb(error.__traceback__))


def print_message(label: str, message: str, hint: str = "") -> None:
    """Print what is wrong, and what to do."""
    from connform.reporters.terminal import clean

    write_messages(f"{label}: {clean(message)}", *([f"hint: {clean(hint)}"] if hint else []))


def _print_diagnostics(error: ManifestInvalid) -> None:
    from connform.engine.report import Report
    from connform.reporters import text, view

    report = Report(command="", diagnostics=error.diagnostics)
    write_stderr(text.render(view.build(report), color=False, width=columns_of(sys.stderr), verbosity=-1))


def _print_bug(error: BaseException) -> None:
    from connform.reporters.terminal import clean

    facts = f"connform {getattr(connform, '__version__', '?')}, Python {sys.version.split()[0]}, {sys.platform}"
    lines = [
        "internal error: this is a bug of connform; please report these lines, and those of `--debug`, which hold no secret",
        f"  {facts}",
    ]
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(f"  {type(cause).__module__}.{type(cause).__qualname__}")
        lines += [
            f"    {frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"
            for frame, line in walk_tb(cause.__traceback__)
        ]
        for note in getattr(cause, "__notes__", ()):
            if note.startswith(NOTE_START):  # other notes may hold a secret
                lines += [f"    {line}" for line in note.split("\n")]
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause.__cause__ or cause.__context__
    write_stderr("".join(f"{clean(line)}\n" for line in lines))
