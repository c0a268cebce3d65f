"""The verb `state copy`: copies the state and its grants to another database, which takes its place. Layer 3; writes the state databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from connform.database import folder_of
from connform.database.copy_marks import read_marks
from connform.database.copying import OpenDatabase, copy_content, make_id, mark_copied
from connform.database.grant_table import GrantTable
from connform.database.interface import Execute
from connform.database.state_table import StateTable
from connform.engine.changes.copying import is_copied
from connform.engine.changes.exclusive import without_renewals
from connform.engine.load.manifest import read_manifest
from connform.engine.run.grants import StoredGrants
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.shard import SINGLE_SHARD
from connform.engine.run.state_location import FOLDER, StateLocation
from connform.engine.run.states import StateOfRun
from connform.engine.state import manifest_names
from connform.errors import Refused


class Copied(NamedTuple):
    """What was copied."""

    sources: tuple[str, ...]
    """The databases that were copied, which are only read from now on."""
    target: str
    """The one that took their place."""
    counts: Mapping[str, int] | None
    """How many rows of each table; `None` if they had been copied there before."""


def copy_state(
    files: Sequence[str], *, state: StateLocation, to: StateLocation, lock_timeout_s: float, force: bool = False
) -> Copied:
    """Copy all state databases of the manifests to one, which takes their place. Cut off at any moment, it can be repeated.

    Args:
        files: manifests; by default, the state databases are in their folders. Their secret stores may hold the keys.
        state: the state to copy, with the key of its grants.
        to: where to copy it, with the key that seals its grants there.
        lock_timeout_s: how long to wait for runs of `apply`, and then for grants that are being renewed.
        force: copy a state that was copied elsewhere already, where its grants may have been renewed.

    Raises:
        ManifestInvalid: a named file can't be read, so the location of its state is unknown.
        Refused: there is nothing to copy; the target holds something else; the state was copied elsewhere.
        ConnectionFailed: a fault of a state database or of a secret store.
    """
    names = manifest_names(files)
    manifest, _ = read_manifest(files)
    with (
        closing(StateOfRun(state, names)) as states,
        closing(StateOfRun(to, names, is_shared=_is_shared(states, to))) as target_states,
        closing(SecretResolver(manifest.stores if manifest else {})) as source,
        closing(StoredGrants(state, source)) as grants,
        closing(StoredGrants(to, source)) as target_grants,
    ):
        folders = [states.folder_of(table) for table in states.tables if table.schema()]
        if not folders:
            raise Refused(f"nothing is recorded in {states.tables[0].place}: name the state to copy with --state")
        sources = [grants.table_for_folder(folder) for folder in folders]
        (target_state,) = target_states.tables
        target = target_grants.table_for_folder(target_states.folder_of(target_state))
        target_id = make_id(target)
        if target_id in map(_id_of, sources):
            raise Refused(f"{target.place} is the state that is to be copied: name another place with --to")
        files_in_target = {states.paths.of_manifest(name): target_states.paths.of_manifest(name) for name in names}

        def copy(executes: list[Execute]) -> Mapping[str, int] | None:
            opened = [OpenDatabase(*each) for each in zip((target.keyed, *keyed), executes, strict=True)]
            if is_copied(opened[1:], opened[0], force=force):
                return None
            counts = copy_content(opened[1:], opened[0], files_in_target, target_states.identity)
            mark_copied(opened[1:], opened[0])
            return counts

        keyed = [table.keyed for table in sources]
        with _locked((*states.tables, target_state), lock_timeout_s):
            counts = without_renewals([target, *sources], lock_timeout_s, copy)
        return Copied(tuple([table.place for table in sources]), target.place, counts)


def _is_shared(states: StateOfRun, to: StateLocation) -> bool | None:
    """Return `False` where the target is the default folder of the only manifests, which knows them by other paths; else `None`."""
    folder = folder_of(to.url, Path())
    (first, *others) = states.tables
    is_default = folder is not None and folder.resolve() == (states.folder_of(first) / FOLDER).resolve()
    return False if is_default and not others else None


def _id_of(table: GrantTable) -> str:
    with table.keyed.database.reading() as execute:
        return read_marks(execute).id if execute else ""


@contextmanager
def _locked(tables: Sequence[StateTable], timeout_s: float) -> Iterator[None]:
    """Keep runs of `apply` out of state tables during the block; all processes lock them in the same order."""
    ends_at = monotonic() + timeout_s
    with ExitStack() as locks:
        for table in sorted(tables, key=lambda one: one.place):
            locks.enter_context(table.lock_parts(SINGLE_SHARD.parts, max(ends_at - monotonic(), 0)))
        yield
