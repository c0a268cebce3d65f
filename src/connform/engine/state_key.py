"""The verb `state rotate-key`: seals the grants and issued tokens of the state with another key. Layer 3; writes the state database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from connform.database import folder_of
from connform.database.grant_table import GrantTable
from connform.database.interface import Execute
from connform.database.keys import FILE, adopt_new_key
from connform.database.rotation import Sealed, rotate_key_file, rotate_to
from connform.engine.changes.exclusive import without_renewals
from connform.engine.load.manifest import read_manifest
from connform.engine.run.grants import StoredGrants
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import FOLDER, StateLocation
from connform.engine.run.states import StateOfRun
from connform.engine.state import manifest_names
from connform.errors import ConnectionFailed


class Rotation(NamedTuple):
    """What became of one state database."""

    place: str
    """The database."""
    key: str
    """Where the new key lies: a file, or a secret reference."""
    sealed: Sealed | None
    """How much was sealed anew; `None` if nothing is sealed there, or all was with that key before."""


def rotate_key(
    files: Sequence[str], *, state: StateLocation, new_key: str, lock_timeout_s: float
) -> tuple[Rotation, ...]:
    """Seal the grants and issued tokens with another key, each state database in one transaction. Cut off, it can be repeated.

    Args:
        files: manifests; by default, the state databases are in their folders. Their secret stores may hold the keys.
        state: where grants are stored, and their key so far.
        new_key: a secret reference to the new key; empty for a new key file.
        lock_timeout_s: how long to wait for grants that are being renewed.

    Raises:
        ManifestInvalid: a named file can't be read, so the location of its state is unknown.
        ConnectionFailed: `config_invalid`, a key file can't replace a key that several machines share; a fault of the state
            database or of a secret store.
    """
    if not new_key and (state.key or folder_of(state.url, Path(FOLDER)) is None):
        message = "where the key is a secret reference, the new one must be as well"
        hint = "name it: --new-key env://NEW_CONNFORM_KEY (`openssl rand -base64 32` makes one)"
        raise ConnectionFailed("config_invalid", message, hint)
    manifest, _ = read_manifest(files)
    with (
        closing(StateOfRun(state, manifest_names(files))) as states,
        closing(SecretResolver(manifest.stores if manifest else {})) as source,
        closing(StoredGrants(state, source)) as grants,
        closing(StoredGrants(state._replace(key=new_key), source)) as with_new_key,
    ):
        folders = [states.folder_of(table) for table in states.tables if table.schema()]
        return tuple(
            _rotate(grants.table_for_folder(base), with_new_key.table_for_folder(base), new_key, lock_timeout_s)
            for base in folders
        )


def _rotate(grants: GrantTable, with_new_key: GrantTable, new_key: str, lock_timeout_s: float) -> Rotation:
    keyed = grants.keyed
    folder = None if new_key else keyed.database.folder

    def rotate(executes: list[Execute]) -> Sealed | None:
        if folder:
            return rotate_key_file(folder, keyed, executes[0])
        (key,) = with_new_key.keyed.keys(False)  # noqa: FBT003  (its only argument)
        return rotate_to(key, keyed, executes[0])

    sealed = without_renewals([grants], lock_timeout_s, rotate)
    if sealed and folder:
        adopt_new_key(folder)
    return Rotation(grants.place, str(folder / FILE) if folder else new_key, sealed)
