"""Issued tokens of a run: the store of each connection's token, in the state database or in the memory of the process.

Layer 3; tables open their files and connections when they are first used. Nothing is made for a token where there is no state.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connform.engine.run.grants import StoredGrants
from connform.issued_token import TokenStore
from connform.manifest.model import Connection

if TYPE_CHECKING:
    from connform.database.memory import MemoryTokens
    from connform.engine.run.tokens_in_state import TokensInState

_MEMORY: dict[Path, MemoryTokens] = {}
"""The tokens in memory, by the folder of their manifests. All clients of this process share them."""


class TokensOfRun:
    """The stores of the issued tokens of a run."""

    def __init__(self, grants: StoredGrants | None) -> None:
        """Take the grants of the run, in whose database the tokens lie; `None` for a simulation, which has a memory of its own."""
        self._grants = grants
        self._simulated: dict[Path, MemoryTokens] = {}
        self._in_state: dict[Path, TokensInState] = {}

    def of(self, connection: Connection) -> TokenStore:
        """Return the store in which a connection's token lies.

        Raises:
            ConnectionFailed: `config_invalid`, `store_insecure`; `store_unavailable` where an optional library is missing.
        """
        from connform.database.memory import MemoryTokens

        base = connection.base
        memories = self._simulated if self._grants is None else _MEMORY
        memory = memories.setdefault(base, MemoryTokens())
        if self._grants is None or not self._grants.has_database(base):
            return memory
        from connform.engine.run.tokens_in_state import TokensInState

        known = self._in_state.get(base)
        return known or self._in_state.setdefault(
            base, TokensInState(self._grants.table_for_folder(base).tokens, memory)
        )

    def close(self) -> None:
        """Forget the tables, which the run's grants close."""
        self._in_state.clear()
