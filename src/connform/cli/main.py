"""The entry point of the command line: runs it, reports every error, returns the exit code. Layer 5. IO: signals.

For a fast start-up, `group.py` and with it click are imported when the garbage collector is off.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType

from connform import WINDOWS_UNSUPPORTED
from connform.cli.streams import restore_streams
from connform.programs import absolute_parts

_USAGE, _INTERRUPTED, _SIGNAL_BASE = 64, 130, 128


class _Termination:
    """Handles SIGTERM and SIGHUP as Python handles SIGINT, so that cleaning up is done and a renewal under way is waited for."""

    def __init__(self) -> None:
        self._numbers = (signal.SIGTERM, signal.SIGHUP)
        self.signalled = 0
        """The signal that came first; 0 while none has come."""

    def watch(self) -> None:
        """Interrupt on these signals from now on, unless one is ignored (as by `nohup`) or handled already."""
        for number in self._numbers:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.signalled = self.signalled or number
        interrupt = signal.getsignal(
            signal.SIGINT
        )  # asyncio has a handler of its own; a shell's background process ignores it
        (interrupt if callable(interrupt) else signal.default_int_handler)(number, frame)

    def ignore(self) -> None:
        """Ignore these signals: the process ends, and waits only for renewals, whose answers would be lost."""
        for number in self._numbers:
            signal.signal(number, signal.SIG_IGN)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; every error is printed here."""
    # A command ends before garbage matters: collecting costs more than the parse of a large manifest
    # (measured 1,995 → 842 ms at 10,000 connections), and 2 ms of the import of click. Verbs that use the network turn it on again.
    gc.disable()
    # Programs that libraries start (`az`, `gcloud`, a browser), and the command of `exec`, are looked for on this PATH too.
    os.environ["PATH"] = absolute_parts(os.environ.get("PATH", ""))
    if os.name != "posix":
        sys.stderr.write(f"error: {WINDOWS_UNSUPPORTED}\n")
        return _USAGE
    termination = _Termination()
    code = _run(argv, termination)
    if "connform.auth.oauth.unsaved" in sys.modules:
        from connform.cli.unsaved import wait_for_unsaved_grants

        lost = wait_for_unsaved_grants()
        return code or lost
    return code


def _run(argv: Sequence[str] | None, termination: _Termination) -> int:
    """Run a command line, and return the exit code of its verb."""
    if argv is None:
        restore_streams()
        if not sys.warnoptions:  # what libraries of vendors warn of is not for users: it would stand on standard error
            warnings.simplefilter("ignore")
        termination.watch()
    try:
        from connform.cli.group import cli, run

        if "_CONNFORM_COMPLETE" in os.environ and argv is None:
            from connform.cli.completion import print_completions

            return print_completions(cli)
        return run(sys.argv[1:] if argv is None else argv)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (nothing above could report it)
        from connform.cli.failure import print_error

        code = int(print_error(error))
        return _SIGNAL_BASE + termination.signalled if termination.signalled and code == _INTERRUPTED else code
    finally:
        if argv is None:
            termination.ignore()
            gc.freeze()  # the last collection would walk all that was imported: 6 ms, a tenth of a small command
