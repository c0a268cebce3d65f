"""Runs the command of `exec`: signals and its exit code are passed on, its output is masked. Layer 5. IO: the command's process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Thread
from time import monotonic
from typing import IO

from connform.cli.masking import Mask
from connform.cli.output import write_stderr
from connform.secret import Secret

_NOT_EXECUTABLE, _NOT_FOUND, _SIGNAL_BASE = 126, 127, 128
"""Exit codes of shells (POSIX.1-2024, XCU 2.8.2)."""
_FORWARDED_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
"""Not passed on where a terminal's keys reach the command: the terminal sends them to it as well."""
_READ_BYTES = 64 * 1024
_LINGER_S = 0.5
"""How long outputs are read after the command has ended: processes that it left running may hold them open for ever."""


def run_command(argv: Sequence[str], environment: Mapping[str, str], secrets: Sequence[Secret]) -> int:
    """Run a command until it ends, and return its exit code, as shells have it.

    Args:
        argv: the command and its arguments.
        environment: its whole environment.
        secrets: what is masked in its output; none: the output is left alone, and its terminal to it.
    """
    output = subprocess.PIPE if secrets else None
    signals = _Signals()
    try:
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=output)  # noqa: S603  (what the user asked for)
    except OSError as error:
        from connform.reporters.terminal import clean

        write_stderr(f"error: can't run {clean(argv[0])}: {error.strerror}\n")
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
    copiers = [
        Thread(target=_copy_masked, args=(source, target.fileno(), Mask(secrets), process))
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        if source
    ]
    for copier in copiers:
        copier.start()
    code = signals.forward_until_exit(process)
    for copier in copiers:
        copier.join()
    return code if code >= 0 else _SIGNAL_BASE - code


class _Signals:
    """The signals that arrive from now on, to be passed on to the command.

    Each signal writes a byte into a pipe, and the wait reads that pipe. With a blocking waitpid(2), a signal that
    arrives just before the call would be handled only after it: never, where the command waits for the signal.
    """

    def __init__(self) -> None:
        self._pending: deque[int] = deque()
        self._wake_reader, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _do_nothing)
        for number in _FORWARDED_SIGNALS:
            signal.signal(number, self._enqueue)
        for number in _TERMINAL_SIGNALS:  # the command would inherit SIG_IGN
            signal.signal(number, _do_nothing if _has_terminal() else self._enqueue)

    def _enqueue(self, number: int, _frame: object) -> None:
        self._pending.append(number)

    def forward_until_exit(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the command, and return its exit code as `Popen` has it."""
        while process.poll() is None:
            while self._pending:
                process.send_signal(self._pending.popleft())
            os.read(self._wake_reader, _READ_BYTES)
        return process.returncode


def _do_nothing(_number: int, _frame: object) -> None:
    """Handle a signal without effect: it only wakes the wait."""


def _has_terminal() -> bool:
    """Return whether a terminal's keys reach this process and the command alike."""
    try:
        return sys.stdin is not None and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _copy_masked(source: IO[bytes], target: int, mask: Mask, process: subprocess.Popen[bytes]) -> None:
    """Copy output to its target as soon as it arrives; where the target takes no more, the command's next write fails too."""
    left_s, chunk = _LINGER_S, None
    with source:
        while left_s > 0 and chunk != b"":
            has_ended, since = process.returncode is not None, monotonic()
            is_ready, _, _ = select.select([source], [], [], _LINGER_S)
            chunk = os.read(source.fileno(), _READ_BYTES) if is_ready else None
            masked = mask.feed(chunk or b"")
            if has_ended:  # the time that the target takes does not count
                left_s -= monotonic() - since
            if not _write(masked, target):
                return
        _write(mask.end(), target)


def _write(text: bytes, target: int) -> bool:
    """Write all of it to a descriptor, and return whether that still takes output."""
    while text:
        try:
            text = text[os.write(target, text) :]
        except BlockingIOError:  # who shares the descriptor may have set O_NONBLOCK
            select.select([], [target], [])
        except OSError:
            return False
    return True
