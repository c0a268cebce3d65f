"""The verb `state mv`: gives the record, the history, the checks and the grant of a connection another name. Layer 3; writes the state database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from connform.engine.changes.rename_records import move_record
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import unknown_connection
from connform.engine.run.grants import StoredGrants
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.shard import Shard, part_of
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.engine.state import manifest_names
from connform.errors import Refused, UnknownConnection


def move(files: Sequence[str], old: str, new: str, *, state: StateLocation, lock_timeout_s: float) -> None:
    """Rename the record, the history, the recorded checks and the grant of a connection. The manifests are not compared.

    Args:
        files: manifests; by default, the state database is in their folders. Their secret stores may hold the key of the grants.
        old: the old name.
        new: the new name.
        state: where applied records and grants are stored.
        lock_timeout_s: how long to wait for a run of `apply`.

    Raises:
        ManifestInvalid: a named file can't be read, so the location of its state is unknown.
        UnknownConnection: nothing is recorded, and no grant stored, under the old name.
        Refused: there is a record or a grant with the new name.
        ConnectionFailed: a fault of the state database.
    """
    with closing(StateOfRun(state, manifest_names(files))) as states:
        known = {
            name: table
            for table in states.tables
            for name in (*table.checks.histories(at_most=0), *table.summaries(), *table.grants())
        }
        if old not in known:
            raise UnknownConnection(unknown_connection(old, known))
        table = known[old]
        manifest, _ = read_manifest(files)
        parts = sorted(Shard.name_of(part_of(name)) for name in {old, new})
        with (
            table.lock_parts(dict.fromkeys(parts), lock_timeout_s) as changes,
            closing(SecretResolver(manifest.stores if manifest else {})) as source,
            closing(StoredGrants(state, source)) as grants,
        ):
            for other in states.tables:
                if new in other.summaries() or new in other.grants():
                    message = f"{new} is in the state already: choose another name, or `connform state rm {new}` first"
                    raise Refused(message)
            move_record(old, new, changes, grants.table_for_folder(states.folder_of(table)))
