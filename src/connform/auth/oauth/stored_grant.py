"""Reads and replaces the stored grant during a renewal, by compare-and-swap.

Layer 2; uses the table of grants. A database lock can be lost with its session, so a renewal replaces only the record it started from.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from time import sleep
from typing import NamedTuple

from connform.errors import ConnectionFailed
from connform.grant import Grant, LockedGrant, Pending

_PAUSES_S = (0.1, 0.3, 0.6)
"""The pauses between attempts to write new tokens while the database is failing."""
_LOG = logging.getLogger("connform")


class _Unsaved(NamedTuple):
    expected: Grant
    renewed: Grant


class StoredGrant:
    """The stored grant of one connection; renewals read and replace it while they hold its lock."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._unsaved: _Unsaved | None = None

    @property
    def has_unsaved(self) -> bool:
        """Whether the last renewed grant could not be written, and is only in memory."""
        return self._unsaved is not None

    def read(self, locked: LockedGrant) -> Grant:
        """Return the stored grant. A renewed grant that is only in memory is written first.

        Raises:
            ConnectionFailed: `login_required`, the grant was deleted; a fault of the state database.
        """
        unsaved = self._unsaved
        is_written = unsaved is not None and locked.replace(unsaved.expected, unsaved.renewed)
        grant = unsaved.renewed if unsaved and is_written else locked.read()
        self._unsaved = None
        if grant is None:  # by a logout
            raise ConnectionFailed("login_required", f"the grant of {self._connection} has just been deleted")
        return grant

    def save(self, locked: LockedGrant, expected: Grant, renewed: Grant) -> bool:
        """Replace the record `expected` by the renewed grant; return false if another process has replaced it.

        If the database fails, the renewed grant stays in memory: its tokens can't be obtained again.
        """
        message = ""
        for pause_s in (*_PAUSES_S, 0):
            try:
                return locked.replace(expected, renewed)
            except ConnectionFailed as failure:
                message = failure.message
            sleep(pause_s)
        _LOG.warning("the renewed grant of %s is in memory alone: %s", self._connection, message)
        self._unsaved = _Unsaved(expected, renewed)
        return True

    def save_pending(self, locked: LockedGrant, grant: Grant, pending: Pending | None) -> None:
        """Write the pending refresh, or remove it (`None`). If that fails, other processes wait until it is too old."""
        with suppress(ConnectionFailed):
            locked.replace(grant, grant._replace(facts=grant.facts._replace(pending=pending)))
