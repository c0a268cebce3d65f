"""Interruptions by SIGINT, SIGTERM and SIGHUP: the first ends what a run does, a second SIGINT ends the process. Layer 5. IO: signals.

Every command needs this module: it imports nothing else of connform.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

_SIGNAL_BASE = 128


class Interruption:
    """The interruption of this process."""

    def __init__(self) -> None:
        self._number = 0
        self.before_the_end: Callable[[], object] = int
        """Is called before a second SIGINT ends the process, to leave the terminal's line clean; `int` does nothing."""

    def watch(self) -> None:
        """Handle these signals from now on, except those that are ignored (as by `nohup`) or handled already."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
                signal.signal(number, self._handle)

    @property
    def has_come(self) -> bool:
        """Whether there was an interruption."""
        return bool(self._number)

    @property
    def exit_code(self) -> int:
        """The exit code after an interruption: 130, or 143 and 129 for SIGTERM and SIGHUP."""
        return _SIGNAL_BASE + (self._number or signal.SIGINT)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        """Cancel what the engine does at the same time, or raise `KeyboardInterrupt`. Later only SIGINT has an effect."""
        if self._number:
            if number == signal.SIGINT:
                self.before_the_end()
                os._exit(self.exit_code)
            return
        self._number = number
        running = sys.modules.get("connform.engine.run.concurrency")
        if running is None or not running.cancel_running():
            raise KeyboardInterrupt

    def stop_watching(self) -> None:
        """Let SIGINT raise `KeyboardInterrupt` again, and ignore the others: the process only waits for what would be lost."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @staticmethod
    def end_with(code: int) -> None:
        """Let SIGINT end the process at once, with this exit code, while the interpreter ends."""
        signal.signal(signal.SIGINT, lambda *_: os._exit(code))


INTERRUPTION = Interruption()
"""That of this process."""
