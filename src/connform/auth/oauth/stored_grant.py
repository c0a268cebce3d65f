"""Reads and replaces the stored grant during a renewal, by compare-and-swap.

Layer 2; uses the table of grants. A database lock can be lost with its session, so a renewal replaces only the record it started from.
"""

from __future__ import annotations

from contextlib import suppress

from connform.auth.oauth.unsaved import UnsavedGrant
from connform.errors import ConnectionFailed
from connform.faults import FAULTS
from connform.grant import Grant, LockedGrant, Pending

RETRY_HINT = "the next use tries the token once more; where that is refused, run `connform login` with its name"


class StoredGrant:
    """The stored grant of one connection; renewals read and replace it while they hold its lock."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._unsaved: UnsavedGrant | None = None

    @property
    def has_unsaved(self) -> bool:
        """Whether the last renewed grant could not be written, and is only in memory."""
        return self._unsaved is not None and not self._unsaved.is_over

    def read(self, locked: LockedGrant) -> Grant:
        """Return the stored grant. A renewed grant that is only in memory is written first.

        Raises:
            ConnectionFailed: `login_required`, the grant was deleted; a fault of the state database.
        """
        if unsaved := self._unsaved:
            unsaved.write()
            self._unsaved = None
        grant = locked.read()
        if grant is None:  # by a logout
            message = f"the grant of {self._connection} has just been deleted"
            raise ConnectionFailed("login_required", message, FAULTS["login_required"].hint_for(self._connection))
        return grant

    def save(self, locked: LockedGrant, expected: Grant, renewed: Grant) -> bool:
        """Replace the record `expected` by the renewed grant; return false if another process has replaced it.

        If the database fails, the renewed grant stays in memory until it can be written.
        """
        try:
            return locked.replace(expected, renewed)
        except ConnectionFailed as failure:
            self._unsaved = UnsavedGrant(
                self._connection, lambda: locked.replace(expected, renewed), failure, RETRY_HINT
            )
            return True

    def save_pending(self, locked: LockedGrant, grant: Grant, pending: Pending | None) -> bool:
        """Write the pending refresh, or remove it (`None`); return false if another process has replaced the record.

        If the database fails, other processes wait until the pending refresh is too old.
        """
        with suppress(ConnectionFailed):
            return locked.replace(grant, grant._replace(facts=grant.facts._replace(pending=pending)))
        return True
