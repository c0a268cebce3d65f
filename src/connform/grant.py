"""OAuth 2.0 grants (RFC 6749 §1.3): tokens, facts, and the protocol of where grants are stored.

Layer 0, no IO: `database/` stores grants, `auth/` uses and renews them.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, Self

from connform.secret import Secret


class Pending(NamedTuple):
    """A pending refresh: written before the refresh token is sent, removed when the new tokens are stored."""

    since: datetime
    """When it was written, aware UTC."""
    holder: str
    """The process that waits for the answer, as `host:pid`; empty if no process waits any more."""

    @classmethod
    def of_this_process(cls) -> Self:
        """Return a refresh that this process begins now."""
        return cls(datetime.now(UTC), f"{os.uname().nodename}:{os.getpid()}")


class GrantFacts(NamedTuple):
    """The facts of a grant that may be shown; none is secret."""

    connection: str
    """The name of its connection."""
    token_url: str
    """The token endpoint that issued it; the refresh token is sent only there (and to `revoke_url`)."""
    client_id: str
    """The OAuth client that it was issued to."""
    scopes: tuple[str, ...]
    """The scopes granted, perhaps fewer than requested."""
    obtained_at: datetime
    """When the access token was issued, aware UTC."""
    expires_at: datetime | None
    """When the access token expires, aware UTC; `None` if the server sent no lifetime."""
    is_renewable: bool
    """Whether there is a refresh token."""
    revoke_url: str = ""
    """The revocation endpoint (RFC 7009); empty for none."""
    pending: Pending | None = None
    """A refresh without an answer: it is running, its process died, or the answer was lost; else `None`."""
    ended: str = ""
    """Why a new login is needed: the name of a fault (`login_required`, `refresh_interrupted`); empty if none is."""
    granted_at: datetime | None = None
    """When its login ended, aware UTC; `None` in grants of earlier versions, which didn't record it."""
    account: str = ""
    """Who granted it, as the server names them: an e-mail address or a name; empty if it names nobody."""
    refresh_ends_at: datetime | None = None
    """When the refresh token expires, aware UTC; `None` if the server doesn't say."""

    def __str__(self) -> str:
        granted_at = self.granted_at.isoformat(timespec="seconds") if self.granted_at else ""
        return describe_grant(self.connection, self.client_id, granted_at, self.scopes)


def describe_grant(connection: str, client_id: str, granted_at: str, scopes: Sequence[str]) -> str:
    """Return a phrase that names a grant by what may be shown of it, in messages and plans.

    Args:
        connection: as `GrantFacts`.
        client_id: as `GrantFacts`.
        granted_at: ISO 8601; empty if it isn't recorded.
        scopes: as `GrantFacts`.
    """
    since = granted_at or "at a time that isn't recorded"
    return f"the grant of {connection} (client {client_id}, granted {since}, scopes {' '.join(scopes) or 'none'})"


class Grant(NamedTuple):
    """One grant with its tokens."""

    facts: GrantFacts
    """The facts that may be shown."""
    access_token: Secret
    """RFC 6749 §1.4."""
    refresh_token: Secret | None = None
    """RFC 6749 §1.5; `None` for none. It may be valid for one use only."""


class LockedGrant(Protocol):
    """Exclusive access to one grant, among all threads, processes and machines. It ends when its process ends."""

    def read(self) -> Grant | None:
        """Return the grant as it is now; `None` where there is none.

        Raises:
            ConnectionFailed: `store_corrupt`, `store_insecure`, `store_unavailable`.
        """

    def check_writable(self) -> None:
        """Check that the state database has room for a grant. Call it before using a code or token that is valid once.

        Raises:
            ConnectionFailed: `store_unwritable`, `store_key_wrong`, `store_unavailable`.
        """

    def begin_refresh(self, expected: Grant) -> bool:
        """Write the pending refresh durably if the record is still `expected`, and check that there is room for the later `write`.

        It returns false, and writes nothing, if another process has written since: the lock was lost, and the refresh token may be spent.
        It is one atomic step: of two processes that read the same record, one begins.

        Raises:
            ConnectionFailed: `store_unwritable`, `store_unavailable`.
        """

    def write(self, grant: Grant) -> None:
        """Replace the whole grant in one durable step, its pending refresh included (`grant.facts.pending`).

        Raises:
            ConnectionFailed: `store_unwritable`, `store_unavailable`.
        """

    def replace(self, expected: Grant, grant: Grant) -> bool:
        """Replace the grant like `write`, but only if its tokens are still those of `expected`; return whether they were.

        It is one atomic step, so that it is safe without the lock: the grant of a later login is not
        replaced. Errors as for `write`.
        """

    def delete(self) -> None:
        """Delete the grant if there is one; needs no key. Errors as for `write`."""


class GrantStore(Protocol):
    """Storage of grants in the state database. Safe to share between threads."""

    place: str
    """The name of the database in messages; without a password."""

    def read(self, connection: str) -> Grant | None:
        """Return a grant without locking it; errors as for `LockedGrant.read`."""

    def facts(self) -> Iterator[GrantFacts]:
        """Yield the facts of every grant, by name; needs no key."""

    def lock(self, connection: str, timeout_s: float) -> AbstractContextManager[LockedGrant]:
        """Return a context in which the grant is locked; entering waits for the lock.

        Raises:
            ConnectionFailed: `store_locked`, not free within `timeout_s`; the message says who holds it and since when.
        """

    def close(self) -> None:
        """Close files and connections."""
