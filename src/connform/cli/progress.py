"""The line on a terminal that says what a run waits for. Layer 5. IO: standard error, from a thread; reads TERM."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO, cast

from connform.cli.interruption import INTERRUPTION

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.run.progress import Progress

_FIRST_S, _PERIOD_S = 0.3, 0.2
"""After how long the line is drawn first, and how often it is drawn anew."""
_ERASE = "\r\x1b[K"
_MAX_NAMES = 3
_UNKNOWN_COLUMNS = 80
"""The width of a terminal that doesn't say how wide it is."""


@contextmanager
def progress(options: Options) -> Iterator[Progress]:
    """Yield what a verb is to tell its progress to. Where standard error is no terminal, with `-q` and with `--debug` nothing is shown."""
    if not sys.stderr.isatty() or options.quiet or options.debug or os.environ.get("TERM") == "dumb":
        from connform.engine.run.progress import SILENT

        yield SILENT
        return
    terminal = sys.stderr
    line = _Line(terminal)
    sys.stderr = cast("TextIO", _Shared(line, terminal))
    INTERRUPTION.before_the_end = line.erase_at_once
    try:
        with line.drawn():
            yield line
    finally:
        sys.stderr = terminal
        INTERRUPTION.before_the_end = int


class _Line:
    """The progress of a run, in one line of a terminal that is erased before anything else is written there."""

    def __init__(self, terminal: TextIO) -> None:
        from threading import RLock

        from connform.process_local import ProcessLocal

        self._terminal = terminal
        self._lock = ProcessLocal(RLock)  # a forked child must not wait for the thread that draws, which it lacks
        self._drawn = ""
        self._is_over = False
        self.begin("reading manifests")

    def begin(self, phase: str, total: int = 0) -> None:
        self._phase, self._total, self._done, self._since = phase, total, 0, monotonic()
        self._waiting: dict[str, None] = {}
        self._is_free = True
        """Whether the cursor is at the start of a line: not behind a question, which the next phase finds answered."""

    def started(self, name: str) -> None:
        self._waiting[name] = None

    def finished(self, name: str) -> None:
        self._waiting.pop(name, None)
        self._done += 1

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """Draw the line again and again during the block."""
        self._start()
        try:
            yield
        finally:
            self._is_over = True
            self._stop()
            self.write(_ERASE if INTERRUPTION.has_come else "")  # a terminal shows `^C`

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        from threading import Event, Thread

        ended = Event()

        def draw() -> None:
            pause_s = _FIRST_S
            while not ended.wait(pause_s):
                self._draw()
                pause_s = _PERIOD_S

        thread = Thread(target=draw, name="connform progress", daemon=True)
        thread.start()

        def stop() -> None:
            ended.set()
            thread.join()

        self._stop = stop

    def write(self, text: str) -> int:
        """Write something else to the terminal, in place of the line."""
        with self._lock.own:
            if self._drawn:
                self._drawn = ""
                self._terminal.write(_ERASE)
            self._is_free = text.endswith("\n")
            return self._terminal.write(text)

    def erase_at_once(self) -> None:
        """Erase the line from the handler of a signal, which must not wait for a lock."""
        self._is_over = True
        os.write(self._terminal.fileno(), _ERASE.encode())

    def _draw(self) -> None:
        try:
            columns = os.get_terminal_size(self._terminal.fileno()).columns or _UNKNOWN_COLUMNS
        except OSError:
            columns = _UNKNOWN_COLUMNS
        with self._lock.own:
            text = self._text(columns - 1)
            if self._is_free and not self._is_over and text != self._drawn:
                self._drawn = text
                self._terminal.write(f"{_ERASE}{text}")
                self._terminal.flush()

    def _text(self, width: int) -> str:
        """Return the line in at most `width` columns: a line that wraps can't be erased."""
        names = list(self._waiting)
        head = f"{self._phase} {self._done}/{self._total}" if self._total else self._phase
        tail = f" ({monotonic() - self._since:.0f} s)"
        if INTERRUPTION.has_come:
            head, tail = "interrupted", f"; Ctrl-C again ends at once{tail}"
        text = f"{head}{tail}"
        for count in range(min(len(names), _MAX_NAMES), 0, -1):
            more = f" and {len(names) - count} more" if len(names) > count else ""
            text = f"{head}: waiting for {', '.join(names[:count])}{more}{tail}"
            if len(text) <= width:
                break
        return text[:width]


class _Shared:
    """Standard error while the line is shown: what is written goes in place of the line."""

    def __init__(self, line: _Line, terminal: TextIO) -> None:
        self._terminal = terminal
        self.write = line.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)
