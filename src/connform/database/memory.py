"""A `GrantStore` in memory, for simulations and tests, and a `TokenStore` in memory.

Layer 2, no IO.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Lock

from connform.database.cipher import have_same_tokens, is_same
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts, Pending
from connform.issued_token import IssuedToken
from connform.process_local import ProcessLocal


class MemoryStore:
    """A `GrantStore` that keeps grants in memory, until its process ends."""

    def __init__(self) -> None:
        self.grants: dict[str, Grant] = {}
        """The grants, by the name of the connection."""
        self._locks = ProcessLocal(partial(defaultdict[str, Lock], Lock))
        self.place = "memory"
        """The name of the database in messages."""

    def read(self, connection: str) -> Grant | None:
        """Return a grant."""
        return self.grants.get(connection)

    def facts(self) -> Iterator[GrantFacts]:
        """Yield the facts of every grant, by name."""
        yield from (grant.facts for _, grant in sorted(self.grants.items()))

    @contextmanager
    def lock(self, connection: str, timeout_s: float) -> Iterator[LockedMemoryGrant]:
        """Lock a grant during the block."""
        lock = self._locks.own[connection]
        if not lock.acquire(timeout=timeout_s):
            raise ConnectionFailed("store_locked", f"the grant of {connection} was not free within {timeout_s:.0f} s")
        try:
            yield LockedMemoryGrant(self, connection)
        finally:
            lock.release()

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class LockedMemoryGrant:
    """A `LockedGrant` whose lock is held."""

    def __init__(self, store: MemoryStore, connection: str) -> None:
        self._store = store
        self._connection = connection

    def read(self) -> Grant | None:
        """Return the stored grant."""
        return self._store.read(self._connection)

    def check_writable(self) -> None:
        """Do nothing: memory can be written."""

    def begin_refresh(self, expected: Grant) -> bool:
        """Write the pending refresh if the record is `expected`."""
        stored = self.read()
        if stored is None or not is_same(stored, expected):
            return False
        pending = Pending(datetime.now(UTC), "this process")  # which others, and its forked children, don't share
        facts = expected.facts._replace(pending=pending)
        self._store.grants[self._connection] = expected._replace(facts=facts)
        return True

    def write(self, grant: Grant) -> None:
        """Replace the whole record."""
        self._store.grants[self._connection] = grant

    def replace(self, expected: Grant, grant: Grant) -> bool:
        """Replace the record if its tokens are those of `expected`."""
        stored = self.read()
        if stored is None or not have_same_tokens(stored, expected):
            return False
        self.write(grant)
        return True

    def delete(self) -> None:
        """Delete the record."""
        self._store.grants.pop(self._connection, None)


class MemoryTokens:
    """A `TokenStore` that keeps issued tokens in memory. A forked child has its parent's tokens, and locks of its own."""

    def __init__(self) -> None:
        self._tokens: dict[str, IssuedToken] = {}
        self._locks = ProcessLocal(partial(defaultdict[str, Lock], Lock))

    def read(self, connection: str) -> IssuedToken | None:
        """Return a token."""
        return self._tokens.get(connection)

    @contextmanager
    def lock(self, connection: str, timeout_s: float) -> Iterator[None]:
        """Lock a token during the block."""
        lock = self._locks.own[connection]
        if not lock.acquire(timeout=timeout_s):
            raise ConnectionFailed("store_locked", f"the token of {connection} was not free within {timeout_s:.0f} s")
        try:
            yield
        finally:
            lock.release()

    def write(self, token: IssuedToken) -> None:
        """Replace the token of its connection."""
        self._tokens[token.connection] = token

    def delete(self, connection: str) -> bool:
        """Delete a token."""
        return self._tokens.pop(connection, None) is not None
