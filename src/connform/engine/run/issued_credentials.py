"""What a simulator issues for the connections of a run, in a form that crosses processes. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import copy
from typing import NamedTuple

from connform.database.memory import MemoryStore
from connform.engine.load.catalog import has_grant
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.simulated_client import revealed
from connform.engine.run.simulation import SyntheticGrants, SyntheticSecrets
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts
from connform.manifest.model import Connection
from connform.secret import Secret
from connform.simulator import Simulator


class IssuedCredentials(NamedTuple):
    """Synthetic secrets and grants of connections, in clear."""

    secrets: list[tuple[tuple[str, str], ...] | None]
    """The secrets of each connection by their keys; `None` where a bug of a plug-in prevents them, which the check finds again."""
    grants: list[tuple[GrantFacts, list[str]]]
    """The facts of each grant, and its tokens."""


class IssuedSecrets(SyntheticSecrets):
    """Synthetic secrets that a simulator in another process issued, and the grants that belong to them."""

    def __init__(self) -> None:
        simulator = Simulator()  # it isn't started: it makes secrets where the other one could not
        super().__init__(simulator)
        self._texts: dict[str, tuple[tuple[str, str], ...]] = {}
        self._store = MemoryStore()
        self.grants = SyntheticGrants(simulator, self._store)
        """The grants."""

    def add(self, connections: Iterable[Connection], issued: IssuedCredentials) -> None:
        """Add what was issued for some connections."""
        for connection, texts in zip(connections, issued.secrets, strict=True):
            if texts is not None:
                self._texts[connection.name] = texts
        for facts, tokens in issued.grants:
            self._store.grants[facts.connection] = Grant(facts, *map(Secret, tokens))

    def prepare(self, connections: Iterable[Connection], progress: Progress = SILENT) -> None:
        """Do nothing: that simulator knows the connections."""

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return the secrets of a connection; errors as for `SyntheticSecrets`."""
        texts = self._texts.get(connection.name)
        return super().secrets(connection) if texts is None else {key: Secret(text) for key, text in texts}

    def secrets_again(self, connection: Connection, refused: Mapping[str, Secret]) -> Mapping[str, Secret]:
        """Return other synthetic secrets."""
        self._texts.pop(connection.name, None)
        return super().secrets_again(connection, refused)


def issue(simulator: Simulator, connections: Iterable[Connection]) -> IssuedCredentials:
    """Have a simulator answer for connections, and issue their secrets and grants."""
    source, store = SyntheticSecrets(simulator), MemoryStore()
    grants = SyntheticGrants(simulator, store)
    source.prepare(connections)
    secrets: list[tuple[tuple[str, str], ...] | None] = []
    for connection in map(copy, connections):  # what is decoded of one isn't kept
        texts = None
        with suppress(ConnectionFailed):
            texts = tuple(revealed(source.secrets(connection)).items())  # a dictionary takes twice as much
            if has_grant(connection):
                grants.of(connection)
        secrets.append(texts)
    simulator.secrets.clear()
    tokens = [(facts, revealed([one for one in both if one])) for facts, *both in store.grants.values()]
    return IssuedCredentials(secrets, tokens)
