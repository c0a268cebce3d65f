"""Renames recorded connections: record, history and grant get the new name together, while nobody else can change any of them.

Layer 3; writes the recorded state and the stores of grants.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connform.auth.oauth import pending_refresh
from connform.database.renaming import rename
from connform.engine.load.selection import unknown_connection
from connform.engine.run.grants import StateLocation, StoredGrants
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.states import Shard, StateOfRun, part_of
from connform.engine.state import named_manifests
from connform.engine.validate import read_manifest
from connform.errors import ConnectionFailed, Refused, UnknownConnection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connform.database.grant_table import GrantTable
    from connform.database.state_table import StateChanges, StateTable
    from connform.engine.changes.plan import Change
    from connform.manifest.model import Store


def carry_out(
    changes: Sequence[Change],
    held: Mapping[StateTable, StateChanges],
    state: StateLocation,
    stores: Mapping[str, Store],
) -> dict[str, ConnectionFailed]:
    """Give what is recorded its new names, one after another, and return what kept some from it, by the new name.

    Args:
        changes: those of a plan; without a rename, nothing is opened.
        held: the right to change each state.
        state: where the grants lie.
        stores: where the key of the grants may lie.
    """
    moved = [change for change in changes if change.moved_from]
    failures: dict[str, ConnectionFailed] = {}
    if not moved:
        return failures
    with closing(SecretResolver(stores)) as source, closing(StoredGrants(state, source)) as grants:
        for change in moved:
            assert change.connection is not None  # noqa: S101  (what is to have the new name is declared)
            try:
                _move(change.moved_from, change.name, held[change.states], grants.of(change.connection))
            except ConnectionFailed as failure:
                failures[change.name] = failure
    return failures


def move(files: Sequence[str], old: str, new: str, *, state: StateLocation, lock_timeout_s: float) -> None:
    """Give the record, the history and the grant of a connection to another name, whatever the manifests say.

    Args:
        files: manifests; their folders say where the state lies, and their stores may hold the key of the grants.
        old: the name that it has.
        new: the name that it gets.
        state: where state and grants are kept.
        lock_timeout_s: how long to wait for a run of `apply`.

    Raises:
        ManifestInvalid: a file that was named can't be read: its state may be another.
        UnknownConnection: nothing lies under the old name.
        Refused: something lies under the new one.
        ConnectionFailed: a fault of the store.
    """
    names = named_manifests(files)
    with closing(StateOfRun(state, names)) as states:
        known = {name: home for home in states.all for name in (*home.marks(), *home.grants())}
        if old not in known:
            raise UnknownConnection(unknown_connection(old, known))
        home = known[old]
        manifest, _ = read_manifest(files)
        parts = sorted(Shard.name_of(part_of(name)) for name in {old, new})
        with (
            home.held(dict.fromkeys(parts), lock_timeout_s) as changes,
            closing(SecretResolver(manifest.stores if manifest else {})) as source,
            closing(StoredGrants(state, source)) as grants,
        ):
            for other in states.all:
                if new in other.marks() or new in other.grants():
                    message = f"{new} is in the state already: choose another name, or `connform state rm {new}` first"
                    raise Refused(message)
            _move(old, new, changes, grants.at(states.folder_of(home)))


def _move(old: str, new: str, changes: StateChanges, grants: GrantTable) -> None:
    """Move what lies under a name, once nobody renews or replaces either grant."""
    with ExitStack() as both:
        for name in sorted((old, new)):  # whoever moves them the other way round waits, and doesn't block this
            both.enter_context(grants.lock(name, pending_refresh.LONGEST.total_seconds()))
        pending = next((facts.pending for facts in grants.facts() if facts.connection == old), None)
        if pending and pending_refresh.is_under_way(pending, old, datetime.now(UTC)):
            message = f"{pending.holder} is renewing the grant of {old}, and would not find it under another name"
            raise ConnectionFailed("store_locked", message, "try again in a minute")
        rename(changes, grants, old, new)
