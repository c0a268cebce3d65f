"""Reads an address that a person pastes at a terminal, or that a pipe holds. Layer 5. IO: standard input, standard error."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from time import monotonic

import click

from connform.cli.output import write_stderr
from connform.cli.usage import UsageProblem

_LOCAL_FLAGS = 3
"""The index in what `tcgetattr` returns (POSIX.1-2024, XBD 11.2.5)."""
_MAX_BYTES = 1024 * 1024
_SAME_PASTE_S = 0.2
"""How long another line of the same paste is waited for: an address may be wrapped."""
# The keys of a terminal's line editing: DEL and BS, Ctrl-U, Ctrl-D.
_ERASE = (0x7F, 0x08)
_ERASE_LINE = 0x15
_END = b"\x04"


def read_pasted(prompt: str, ends_at: float) -> str:
    """Ask on standard error, after an empty line again; return the first other line, and the lines that come with it.

    Args:
        prompt: what is asked, once long lines can be taken.
        ends_at: when to give up, in seconds of `monotonic`.

    Raises:
        TimeoutError: no line came in time.
        click.Abort: a person ended the input at a terminal.
        UsageProblem: standard input holds no line.
    """
    if sys.stdin is None:
        raise _no_input()
    received = b""
    with _unlimited_lines(sys.stdin.fileno()) as edited:
        write_stderr(prompt)
        while len(received) < _MAX_BYTES:
            is_complete = received.endswith(b"\n") and bool(received.strip())
            chunk = _read_chunk(_SAME_PASTE_S if is_complete else ends_at - monotonic())
            if chunk is None and not is_complete:
                raise TimeoutError
            if not chunk:
                break
            received = edited(received + chunk)
            if received.endswith(b"\n") and not received.strip() and sys.stdin.isatty():
                received = b""
                write_stderr(prompt)
            if received.endswith(_END):
                received = received[:-1]
                break
    if not received.strip():
        write_stderr("\n")
        raise click.Abort if sys.stdin.isatty() else _no_input()
    return received.decode(errors="replace")


def _no_input() -> UsageProblem:
    return UsageProblem(
        "standard input ended before an address came: a login asks a person",
        "run it at a terminal; --listen takes the address from the browser, --with-refresh-token a grant from elsewhere",
    )


def _read_chunk(timeout_s: float) -> bytes | None:
    """Return what came within the time, empty at the end of standard input; `None` if nothing came."""
    is_ready, _, _ = select([sys.stdin], [], [], max(timeout_s, 0))
    return os.read(sys.stdin.fileno(), _MAX_BYTES) if is_ready else None


@contextmanager
def _unlimited_lines(descriptor: int) -> Iterator[Callable[[bytes], bytes]]:
    """Lift the terminal's limit on a line (4,095 bytes on Linux, 1,024 on macOS); yield what edits lines in its place."""
    if not os.isatty(descriptor):
        yield lambda received: received
        return
    before = termios.tcgetattr(descriptor)
    without = [*before]
    without[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHOCTL)  # otherwise the end of a line is shown as `^J`
    termios.tcsetattr(descriptor, termios.TCSADRAIN, without)
    try:
        yield _edit
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _edit(received: bytes) -> bytes:
    """Carry out the keys that erase."""
    line = bytearray()
    for byte in received:
        if byte in _ERASE:
            del line[-1:]
        elif byte == _ERASE_LINE:
            line.clear()
        else:
            line.append(byte)
    return bytes(line)
