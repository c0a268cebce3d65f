"""Says what one customer granted to one connection, and what keeps such grants: OAuth 2.0 (RFC 6749 §1.3).

Layer 0, no IO: `database/` keeps grants, `auth/` spends them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from connform.secret import Secret


class Pending(NamedTuple):
    """The journal entry of a refresh: written before the refresh token is spent, gone with the answer."""

    since: datetime
    """Aware UTC."""
    holder: str
    """Which process: `host:pid`; empty once nobody waits for the answer any more."""


class GrantFacts(NamedTuple):
    """What may be shown of a grant: nothing of it is secret."""

    connection: str
    """Whose grant it is: the connection's name."""
    token_url: str
    """The token endpoint that issued it; the refresh token goes nowhere else."""
    client_id: str
    """The app that it was issued to."""
    scopes: tuple[str, ...]
    """What was granted, which may be less than what was asked for."""
    obtained_at: datetime
    """When the access token was issued, aware UTC."""
    expires_at: datetime | None
    """When the access token ends, aware UTC; `None` where the server didn't say."""
    is_renewable: bool
    """Whether there is a refresh token."""
    revoke_url: str = ""
    """Where it can be revoked (RFC 7009); empty where the server can't."""
    pending: Pending | None = None
    """A refresh without an answer: it goes on right now, its process died, or the answer was lost."""
    ended: str = ""
    """Why a new login is needed: the name of a fault (`login_required`, `refresh_interrupted`); empty while the grant lives."""
    granted_at: datetime | None = None
    """When its login ended, aware UTC; `None` where an earlier version kept the grant and didn't write it down."""


class Grant(NamedTuple):
    """One grant with its tokens."""

    facts: GrantFacts
    """What may be shown."""
    access_token: Secret
    """RFC 6749 §1.4."""
    refresh_token: Secret | None = None
    """RFC 6749 §1.5; perhaps good for one use only."""


class LockedGrant(Protocol):
    """The right to change one grant: nobody else has it, in no thread, process or machine. It ends with its holder."""

    def read(self) -> Grant | None:
        """Return the grant as it is now; `None` where there is none.

        Raises:
            ConnectionFailed: `store_corrupt`, `store_insecure`, `store_unavailable`.
        """

    def check_writable(self) -> None:
        """Show that the store can be written with room for a record, before something is spent that can't be had twice.

        Raises:
            ConnectionFailed: `store_unwritable`, `store_key_wrong`, `store_unavailable`.
        """

    def begin_refresh(self) -> None:
        """Write the journal entry, durably, with room for what `write` will need: it proves that the store can be written.

        Raises:
            ConnectionFailed: `store_unwritable`, `store_unavailable`.
        """

    def write(self, grant: Grant) -> None:
        """Replace the whole record in one durable step; the journal entry is what `grant.facts.pending` says.

        Raises:
            ConnectionFailed: `store_unwritable`, `store_unavailable`.
        """

    def replace(self, expected: Grant, grant: Grant) -> bool:
        """Replace the record in the same way where its tokens are those of `expected`, and return whether they were.

        One step even for a holder whose lock was lost: what a login has written meanwhile stays. Errors as for `write`.
        """

    def delete(self) -> None:
        """Delete the record, for which no key is needed; nothing happens where there is none. Errors as for `write`."""


class GrantStore(Protocol):
    """Where grants lie. Safe to share between threads."""

    def read(self, connection: str) -> Grant | None:
        """Return a grant without locking it; errors as for `LockedGrant.read`."""

    def facts(self) -> Iterator[GrantFacts]:
        """Yield the facts of every grant, by name; needs no key."""

    def lock(self, connection: str, timeout_s: float) -> AbstractContextManager[LockedGrant]:
        """Return a context in which the grant is locked; entering waits.

        Raises:
            ConnectionFailed: `store_locked`, nobody freed it within `timeout_s`; the message says who holds it and since when.
        """

    def close(self) -> None:
        """Let go of files and connections."""
