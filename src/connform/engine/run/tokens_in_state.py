"""Issued tokens in a state database, and in the memory of the process while the database fails.

Layer 3; uses the state database. A request needs no state: where that can't be read or written, its token is obtained all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from time import monotonic

from connform.database.memory import MemoryTokens
from connform.database.token_table import TokenTable
from connform.errors import ConnectionFailed
from connform.issued_token import IssuedToken
from connform.process_local import ProcessLocal

_PAUSE_S = 60.0
"""How long a state that failed is not asked again."""
_LOG = logging.getLogger("connform")


class TokensInState:
    """A `TokenStore` that keeps tokens in a state database. One that fails is left alone for a while: the tokens stay in memory."""

    def __init__(self, table: TokenTable, memory: MemoryTokens) -> None:
        self._table = table
        self._memory = memory
        self._gate = ProcessLocal(Lock)
        self._pause_ends_at = 0.0
        self._has_warned = False

    def read(self, connection: str) -> IssuedToken | None:
        """Return the newer one of the tokens in the database and in memory."""
        found = [self._memory.read(connection)]
        with self._gate.own:  # only one caller waits for a server that doesn't answer
            if not self._is_paused:
                try:
                    found.append(self._table.read(connection))
                except ConnectionFailed as failure:
                    self._pause(failure)
        tokens = [token for token in found if token]
        return max(tokens, key=lambda token: token.facts.obtained_at, default=None)

    @contextmanager
    def lock(self, connection: str, timeout_s: float) -> Iterator[None]:
        """Lock a token during the block: on all machines, or in this process where the database fails."""
        with ExitStack() as held:
            if not self._is_paused:
                try:
                    held.enter_context(self._table.lock(connection, timeout_s))
                except ConnectionFailed as failure:
                    if failure.fault.name == "store_locked":
                        raise
                    self._pause(failure)
            held.enter_context(self._memory.lock(connection, timeout_s))
            yield

    def write(self, token: IssuedToken) -> None:
        """Replace the token of its connection."""
        if not self._is_paused:
            try:
                self._table.write(token)
            except ConnectionFailed as failure:
                self._pause(failure)
            else:
                return
        self._memory.write(token)

    def delete(self, connection: str) -> bool:
        """Delete the token of a connection. Errors are raised."""
        return bool(self._memory.delete(connection) | self._table.delete(connection))

    @property
    def _is_paused(self) -> bool:
        return monotonic() < self._pause_ends_at

    def _pause(self, failure: ConnectionFailed) -> None:
        """Leave the database alone for a while; the first time, write why to the log."""
        self._pause_ends_at = monotonic() + _PAUSE_S
        if not self._has_warned:
            self._has_warned = True
            _LOG.warning("access tokens stay in the memory of this process: %s; %s", failure.message, failure.hint)
