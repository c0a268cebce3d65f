"""Grants of a run: the grant table of each connection, opened once per folder of manifests.

Layer 3; tables open their files and connections when they are first used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import FOLDER, StateLocation
from connform.errors import ConnectionFailed
from connform.grant import GrantStore
from connform.manifest.model import Connection

if TYPE_CHECKING:
    from connform.database.grant_table import GrantTable
    from connform.secret import Secret, SecretReference


class GrantsOfRun(Protocol):
    """The stores of grants of a run."""

    def of(self, connection: Connection) -> GrantStore:
        """Return the store in which a connection's grant lies.

        Raises:
            ConnectionFailed: `config_invalid`; `store_unavailable` where an optional library is missing.
        """

    def close(self) -> None:
        """Let go of files and connections."""


class StoredGrants:
    """The recorded grants of a run: those of its state database."""

    def __init__(self, state: StateLocation, source: SecretResolver) -> None:
        self._state = state
        self._source = source
        self._tables: dict[Path, GrantTable] = {}

    def of(self, connection: Connection) -> GrantTable:
        """Return the grant table in which a connection's grant lies."""
        return self.table_for_folder(connection.base)

    def table_for_folder(self, base: Path) -> GrantTable:
        """Return the grant table of the manifests in a folder; errors as for `of`."""
        from connform.database import open_grants
        from connform.engine.run.tracked_state import require_untracked

        if base not in self._tables:
            require_untracked(self._state.url, base / FOLDER)
            self._tables[base] = open_grants(self._state.url, base / FOLDER, self._key(base))
        return self._tables[base]

    def has_database(self, base: Path) -> bool:
        """Whether a state database is named, or was made beside the manifests in a folder."""
        from connform.database import is_made

        return is_made(self._state.url, base / FOLDER)

    def close(self) -> None:
        """Let go of files and connections."""
        while self._tables:
            self._tables.popitem()[1].close()

    def _key(self, base: Path) -> Callable[[], Secret] | None:
        """Return the function that reads the key of the grants; `None` for the key file beside them."""
        if not self._state.key:
            return None
        from connform.secret import MalformedReferenceError

        try:
            reference = _reference(self._state.key)
        except MalformedReferenceError as error:
            message = f"the key of the store of grants is given by a secret reference: {error}"
            raise ConnectionFailed("config_invalid", message, "write where it lies: env://CONNFORM_KEY") from None
        return lambda: self._source.fetch([reference], base)[0]


def _reference(text: str) -> SecretReference:
    from connform.secret import NO_USER, MalformedReferenceError, SecretReference

    reference = SecretReference.parse(text)
    if reference.may_name_user:
        raise MalformedReferenceError(NO_USER)
    return reference
