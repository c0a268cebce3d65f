"""A new grant that the state database did not take: its write is repeated until it succeeds or the process has ended.

Layer 2; uses the table of grants. The tokens can't be obtained again, so a process that ends goes on for `END_S`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain, repeat
from math import inf
from threading import Thread, main_thread
from time import monotonic, sleep

from connform.auth.oauth import pending_refresh
from connform.errors import ConnectionFailed
from connform.process_local import ProcessLocal

END_S = 60.0
"""How long a process that is ending goes on."""
_PAUSES_S = (0.1, 0.3, 0.6)
"""The pauses before the first attempts: a database that restarts is away for so long, and nobody is told."""
_PAUSE_S = 1.0
"""The pause before each later one."""
_POLL_S = 0.05
_LOG = logging.getLogger("connform")


class UnsavedGrant:
    """A new grant that is only in memory. A thread that is not a daemon writes it."""

    def __init__(self, connection: str, write: Callable[[], object], failure: ConnectionFailed, hint: str) -> None:
        """Take what could not be written; until it is, a refresh of the grant counts as being under way in this process.

        Args:
            connection: the name of the connection.
            write: writes the grant, unless a newer one is stored; it needs no lock.
            failure: why it could not be written.
            hint: what to do if it is lost.
        """
        self._connection = connection
        self._write = write
        self._failure = failure
        self._hint = hint
        self.is_over = False
        """Whether it was written, replaced by a newer grant, or given up."""
        self._tracking = ExitStack()
        self._tracking.enter_context(pending_refresh.track_refresh(connection))
        _UNSAVED.own.add(self)
        try:
            Thread(target=self._keep_writing, name=f"connform writes {connection}", daemon=False).start()
        except RuntimeError:  # Python 3.12.0 and 3.12.1 start none while the process ends
            self._keep_writing()

    def __str__(self) -> str:
        return f"the new grant of {self._connection} is in memory alone: {self._failure.message}"

    def write(self) -> None:
        """Write the grant now. Errors as for `LockedGrant.write`."""
        self._write()
        self._end()

    def give_up(self) -> ConnectionFailed:
        """Stop trying, and return the failure to report."""
        self._end()
        message = f"the new grant of {self._connection} is lost: it could not be written: {self._failure.message}"
        return ConnectionFailed(self._failure.fault.name, message, self._hint)

    def _keep_writing(self) -> None:
        """Write the grant, again and again; after the end of the main thread for `END_S`."""
        gives_up_at = inf
        for pause_s in chain(_PAUSES_S, repeat(_PAUSE_S)):
            sleep(pause_s)
            if self.is_over:  # the next renewal has written it, or it was given up
                return
            try:
                self.write()
            except ConnectionFailed as failure:
                self._failure = failure
            else:
                return
            if pause_s == _PAUSES_S[-1]:
                _LOG.warning("%s; it is lost if this process ends before it is written", self)
            if not main_thread().is_alive():
                gives_up_at = min(gives_up_at, monotonic() + END_S)
            if monotonic() > gives_up_at:
                lost = self.give_up()
                _LOG.error("%s; %s", lost.message, lost.hint)
                return

    def _end(self) -> None:
        self.is_over = True
        self._tracking.close()
        _UNSAVED.own.discard(self)


_UNSAVED = ProcessLocal(set[UnsavedGrant])


def unsaved_grants() -> list[UnsavedGrant]:
    """Return the new grants of this process that are only in memory."""
    return list(_UNSAVED.own)


def wait_until_written() -> None:
    """Wait until the new grants of this process are written, `END_S` at most."""
    ends_at = monotonic() + END_S
    while unsaved_grants() and monotonic() < ends_at:
        sleep(_POLL_S)
