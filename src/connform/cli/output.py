"""Output of the verbs: text and data on standard output or in files, messages on standard error.

Layer 5. IO: standard output, standard error, files that the user named; reads COLUMNS.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from connform.cli.inert import Syntax, inert
from connform.cli.interruption import INTERRUPTION
from connform.cli.usage import UsageProblem

if TYPE_CHECKING:
    from connform.cli.options import Options

_WIDTH_OF_LOGS = 120


def write_messages(*lines: str) -> None:
    """Write lines to standard error; on a terminal, one that is too long is wrapped between its words."""
    from connform.reporters.terminal import UNLIMITED
    from connform.reporters.wrapping import fold_rows

    width = columns_of(sys.stderr) if sys.stderr.isatty() else UNLIMITED
    write_stderr("".join(f"{line}\n" for line in fold_rows(lines, width)))


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
