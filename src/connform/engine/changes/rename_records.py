"""Renaming of recorded connections in the state database: record, history and grant together, under their locks.

Layer 3; writes the recorded state and the grants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime

from connform.auth.oauth import pending_refresh
from connform.database.grant_table import GrantTable
from connform.database.renaming import rename
from connform.database.state_changes import StateChanges
from connform.database.state_table import StateTable
from connform.engine.changes.plan import Change
from connform.engine.run.grants import StoredGrants
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed
from connform.manifest.model import Store


def rename_records(
    changes: Sequence[Change],
    state_changes: Mapping[StateTable, StateChanges],
    state: StateLocation,
    stores: Mapping[str, Store],
) -> dict[str, ConnectionFailed]:
    """Rename recorded connections, one after another, and return the failures by the new name.

    Args:
        changes: the changes of a plan; if none is a rename, nothing is opened.
        state_changes: the right to change each state table.
        state: the location of the state database, with the grants.
        stores: the declared secret stores, for the key of the grants.
    """
    renames = [change for change in changes if change.moved_from]
    failures: dict[str, ConnectionFailed] = {}
    if not renames:
        return failures
    with closing(SecretResolver(stores)) as source, closing(StoredGrants(state, source)) as grants:
        for change in renames:
            assert change.connection is not None  # noqa: S101  (a connection with a new name is declared)
            try:
                move_record(change.moved_from, change.name, state_changes[change.table], grants.of(change.connection))
            except ConnectionFailed as failure:
                failures[change.name] = failure
    return failures


def move_record(old: str, new: str, changes: StateChanges, grants: GrantTable) -> None:
    """Rename the record, history and grant of a connection, with both grants locked.

    Raises:
        ConnectionFailed: `store_locked`, another process is renewing or replacing one of the grants; another fault of the
            state database.
    """
    with ExitStack() as locks:
        for name in sorted((old, new)):  # in the same order for a rename in the other direction: no deadlock
            locks.enter_context(grants.lock(name, pending_refresh.MAX_AGE.total_seconds()))
        pending = next((facts.pending for facts in grants.facts() if facts.connection == old), None)
        if pending and pending_refresh.is_under_way(pending, old, datetime.now(UTC)):
            message = f"{pending.holder} is renewing the grant of {old}, and would not find it under another name"
            raise ConnectionFailed("store_locked", message, "try again in a minute")
        rename(changes, grants, old, new)
