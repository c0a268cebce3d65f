"""`Progress`: is told what a run waits for. Layer 3, no IO."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """What a run tells about itself while it goes on. Several threads call it at the same time."""

    def begin(self, phase: str, total: int = 0) -> None:
        """A phase begins, and the phase before it has ended.

        Args:
            phase: what is done: `checking`.
            total: how many names will be started and finished; 0 if the phase is one piece of work.
        """

    def started(self, name: str) -> None:
        """The run waits for a connection or for a store."""

    def finished(self, name: str) -> None:
        """The run waits for it no more."""

    def paused(self) -> AbstractContextManager[None]:
        """During the block nothing is told, and no thread of this runs, so that the process can fork."""


class _Silent:
    def begin(self, phase: str, total: int = 0) -> None: ...

    def started(self, name: str) -> None: ...

    def finished(self, name: str) -> None: ...

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


SILENT: Progress = _Silent()
"""The progress of a run that nobody watches."""


class waiting_for:  # noqa: N801  (used as a function; a generator takes three times as long)
    """Tell that the run waits for a name during the block."""

    __slots__ = ("_name", "_progress")

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress = name, progress

    def __enter__(self) -> None:
        self._progress.started(self._name)

    def __exit__(self, *_: object) -> None:
        self._progress.finished(self._name)
