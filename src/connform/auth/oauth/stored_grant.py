"""Reads and replaces the stored grant during a renewal, by compare-and-swap.

Layer 2; uses a store. A lock that ends with a database session can be lost: the record that was spent is the only one that may be replaced.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.errors import ConnectionFailed

if TYPE_CHECKING:
    from connform.grant import Grant, LockedGrant, Pending

_PAUSES_S: Final = (0.1, 0.3, 0.6)
"""Of one who holds a new token and finds the store failing."""
_LOG: Final = logging.getLogger("connform")


class _Unsaved(NamedTuple):
    expected: Grant
    renewed: Grant


class StoredGrant:
    """The stored grant of one connection, as its renewals read and replace it under its lock."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._unsaved: _Unsaved | None = None

    @property
    def has_unsaved(self) -> bool:
        """Whether the last renewal could not be written."""
        return self._unsaved is not None

    def read(self, locked: LockedGrant) -> Grant:
        """Return the grant as it is now; the last renewal is written first, where that is still owed.

        Raises:
            ConnectionFailed: `login_required`, there is none any more; a fault of the store.
        """
        unsaved = self._unsaved
        is_written = unsaved is not None and locked.replace(unsaved.expected, unsaved.renewed)
        grant = unsaved.renewed if unsaved and is_written else locked.read()
        self._unsaved = None
        if grant is None:  # a logout came first
            raise ConnectionFailed("login_required", f"the grant of {self._connection} has just been deleted")
        return grant

    def save(self, locked: LockedGrant, expected: Grant, renewed: Grant) -> bool:
        """Write new tokens over the record that was spent, and return whether it was still there.

        They stay in memory where the store fails: there are no others.
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
        """Say in the journal how a refresh ended; where that fails, others find out by waiting."""
        with suppress(ConnectionFailed):
            locked.replace(grant, grant._replace(facts=grant.facts._replace(pending=pending)))
