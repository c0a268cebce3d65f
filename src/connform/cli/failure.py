"""The error message and the exit code for an exception that ended a verb. Layer 5. IO: standard error.

Of an unknown exception, the type and the frames are shown, never the message: it could hold a secret.
"""

from __future__ import annotations

import sys
from traceback import walk_tb

import click

import connform
from connform.cli.output import discard, say
from connform.cli.usage import describe
from connform.errors import ConnectionFailed, ConnformError, ManifestInvalid
from connform.faults import ExitCode
from connform.tracebacks import LEFT_OUT


def tell(error: BaseException) -> int:
    """Print the error message and return the exit code."""
    match error:
        case click.UsageError():
            _say("error", *describe(error))
            return ExitCode.USAGE
        case KeyboardInterrupt() | click.Abort():
            return ExitCode.INTERRUPTED
        case OSError() if _is_of_help(error):  # verbs handle such errors of their own output
            discard()
            if isinstance(error, BrokenPipeError):
                return ExitCode.OK
            _say("error", f"can't write to standard output: {error.strerror}")
            return ExitCode.USAGE
        case ManifestInvalid():
            _say_diagnostics(error)
        case ConnectionFailed():
            _say(f"error[{error.fault.name}]", error.message, error.hint)
        case ConnformError():
            _say("error", str(error))
        case _:
            _say_bug(error)
            return ExitCode.INTERNAL
    return error.exit_code


def _is_of_help(error: OSError) -> bool:
    """Return whether `click.echo` could not write to standard output: help, the version."""
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def _say(label: str, message: str, hint: str = "") -> None:
    from connform.reporters.terminal import clean

    say(f"{label}: {clean(message)}\n" + (f"hint: {clean(hint)}\n" if hint else ""))


def _say_diagnostics(error: ManifestInvalid) -> None:
    from connform.engine.report import Report
    from connform.reporters import text, view

    report = Report(command="", diagnostics=error.diagnostics)
    say(text.render(view.build(report), color=False, width=120, verbosity=-1))


def _say_bug(error: BaseException) -> None:
    from connform.reporters.terminal import clean

    facts = f"connform {getattr(connform, '__version__', '?')}, Python {sys.version.split()[0]}, {sys.platform}"
    lines = ["internal error: this is a bug of connform; please report these lines", f"  {facts}"]
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(f"  {type(cause).__module__}.{type(cause).__qualname__}")
        lines += [
            f"    {frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"
            for frame, line in walk_tb(cause.__traceback__)
        ]
        notes = getattr(cause, "__notes__", ())
        lines += [f"    {note}" for note in notes if note.startswith(LEFT_OUT)]  # other notes may hold a secret
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause.__cause__ or cause.__context__
    say("".join(f"{clean(line)}\n" for line in lines))
