"""Recorded state of a run: the state tables of its manifests, read and locked together.

Layer 3; tables open their files and connections when they are first used.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from connform.database import open_state
from connform.database.state_table import StateTable
from connform.engine.run.recorded_paths import RecordedPaths
from connform.engine.run.repository_identity import Identity, are_different, describe, identity_of
from connform.engine.run.shard import Shard, part_of
from connform.engine.run.state_location import FOLDER, StateLocation
from connform.engine.run.tracked_state import require_untracked
from connform.lazy_property import lazy_property
from connform.manifest.reading import is_manifest_name
from connform.recorded import AppliedRecord, ListRow, RecordSummary, list_row
from connform.temporary_files import require_temporary_folder

if TYPE_CHECKING:
    from connform.database.state_changes import StateChanges
    from connform.recorded_checks import CheckHistory

_UNCHECKED = ("",)
"""What a list row has behind the columns of an attempt where no check is recorded."""
_STATE_FOLDERS = tuple(f"{parents}{FOLDER}" for parents in ("", "*/", "*/connections/"))
"""The patterns of other state folders, relative to a folder of the repository."""


def by_table(tables: Mapping[str, StateTable]) -> dict[StateTable, set[str]]:
    """Return the names of connections by the state table where they are recorded."""
    names: dict[StateTable, set[str]] = {}
    for name, table in tables.items():
        names.setdefault(table, set()).add(name)
    return names


class StateOfRun:
    """The state tables of a run: one for each folder of manifests, or the one at a URL."""

    def __init__(
        self,
        state: StateLocation,
        files: Sequence[str],
        absent: Sequence[str] = (),
        *,
        is_shared: bool | None = None,
    ) -> None:
        """Set up the state tables of manifests.

        Args:
            state: where it lies.
            files: the manifests, named as on the command line.
            absent: files and folders that were named, and are missing or empty.
            is_shared: whether the manifests of other folders may be recorded there; by default, at a URL.
        """
        paths = {file: Path(os.path.abspath(file)) for file in (*files, *absent)}  # noqa: PTH100  (without `..`)
        manifests = {
            name: path
            for name, path in paths.items()
            if name in files or (not path.is_dir() and is_manifest_name(path.name))
        }
        folders = dict.fromkeys(path if name not in manifests else path.parent for name, path in paths.items())
        folders = folders or {Path.cwd(): None}
        self._tables: dict[Path, StateTable] = {}
        self._places: dict[str, tuple[str, StateTable]] = {}
        shared: StateTable | None = None
        for folder in folders:
            if shared is None or not state.url:
                shared = _open_table(state.url, folder)
            self._tables[folder] = shared
        self._has_url = bool(state.url)
        self._is_shared = self._has_url if is_shared is None else is_shared
        self._repository = state.repository
        self.paths = RecordedPaths(manifests, folders, state.root, is_shared=self._is_shared)
        """How the state knows the manifests."""

    @lazy_property
    def identity(self) -> Identity:
        """The identity of the repository of the first manifest, for a database at a URL; empty if nothing is known of it."""
        return identity_of(self.paths.first_root, self._repository) if self._is_shared else {}

    def other_repository(self) -> str:
        """Return the repository to which the database belongs, if that is another one; empty if it isn't."""
        recorded = self.tables[0].repository() if self._is_shared else {}
        return describe(recorded) if recorded and are_different(recorded, self.identity) else ""

    def missing_note(self) -> str:
        """Return a sentence that says that there is no state at a URL yet, which may be misspelt; empty if there is one."""
        place = self.tables[0].place
        return f"no state in {place} yet" if self._has_url and not self.tables[0].schema() else ""

    def copied_note(self) -> str:
        """Return a sentence that says that the state was copied elsewhere, and is used there; empty if it wasn't."""
        copies = [(table.place, table.copied_to()) for table in self.tables]
        return "; ".join(
            [f"{place} was copied to {to.place} at {to.at}: use that one, with --state" for place, to in copies if to]
        )

    def has_recorded(self, absent: str) -> bool:
        """Whether something is recorded of a file or folder that is missing or empty."""
        summaries = [summary for table in self.tables for summary in table.summaries().values()]
        if self.paths.is_manifest(absent):
            return any(summary.file == self.paths.of_manifest(absent) for summary in summaries)
        folder = self.paths.before_manifest(Path(os.path.abspath(absent)))  # noqa: PTH100  (as above)
        return any((summary.file.rpartition("/")[0] or ".") == folder for summary in summaries)

    @property
    def tables(self) -> tuple[StateTable, ...]:
        """All state tables, each once."""
        return tuple(dict.fromkeys(self._tables.values()))

    def table(self, folder: Path) -> StateTable:
        """Return the state table of the manifests in a folder."""
        return self._tables[folder]

    def place_of(self, manifest: str, folder: Path) -> tuple[str, StateTable]:
        """Return the recorded path of a manifest in a folder, and its state table; found once for its thousands of connections."""
        if manifest not in self._places:
            self._places[manifest] = self.paths.of_manifest(manifest), self.table(folder)
        return self._places[manifest]

    def folder_of(self, table: StateTable) -> Path:
        """Return the first folder whose manifests are recorded in a state table."""
        return next(folder for folder, its_table in self._tables.items() if its_table is table)

    def other_tables(self) -> list[StateTable]:
        """Return the state tables of other folders of the repository: of parent folders, and of folders directly in these.

        A manifest that was moved to another folder leaves its records in the old one.
        """
        if self._has_url:
            return []
        others = {state.parent for folder in self._tables for state in _state_folders(folder)} - self._tables.keys()
        return [_open_table("", folder) for folder in sorted(others)]

    def summaries(self) -> dict[str, tuple[RecordSummary, StateTable]]:
        """Return the summary and the state table of every record, by the connection's name. Takes no lock.

        Raises:
            ConnectionFailed: a fault of the state database.
        """
        return {name: (summary, table) for table in self.tables for name, summary in table.summaries().items()}

    def list_rows(self) -> dict[str, ListRow]:
        """Return what a list shows of each connection that was applied or checked, by name; errors as for `summaries`."""
        found: dict[str, ListRow] = {}
        for table in self.tables:
            rows, checks = table.list_rows(), table.checks.histories(at_most=0)
            if not checks:
                found |= {row[0]: row + _UNCHECKED for row in sorted(rows)}
                continue
            attempts = {row[0]: row for row in rows}
            for name in sorted({*attempts, *checks}):
                history = checks.get(name)
                since = history.since.isoformat(timespec="seconds") if history else ""
                found[name] = list_row(attempts.get(name), history.latest.row if history else None, since)
        return found

    def read(self, only: Container[str] | None = None) -> dict[str, AppliedRecord]:
        """Return records by the connection's name, by default all; errors as for `summaries`."""
        if only == frozenset():
            return {}
        return {name: record for table in self.tables for name, record in table.read(only).items()}

    def checks(self, *, at_most: int | None) -> dict[str, CheckHistory]:
        """Return what is recorded of the checks of each connection, by name; argument and errors as for `CheckTable.histories`."""
        return {name: one for table in self.tables for name, one in table.checks.histories(at_most=at_most).items()}

    def undeclared(self, summaries: Mapping[str, RecordSummary], searched: Iterable[Path]) -> Iterator[str]:
        """Yield the names of records that are to be removed, because no manifest declares them any more.

        A run over one file must not remove what another file declares. So a record is removed only if its file was read
        in this run, or if the whole folder of the file was read and the file doesn't exist.

        Args:
            summaries: the summaries of records that no manifest of the run declares, by the connection's name.
            searched: the folders that were read as a whole.
        """
        read = set(self.paths.files)
        searched_folders = {
            self.paths.before_manifest(folder): folder for folder in searched if self.paths.is_folder(folder)
        }
        for name, summary in summaries.items():
            folder, _, file = summary.file.rpartition("/")
            searched_folder = searched_folders.get(folder or ".")
            if summary.file in read or (searched_folder and not os.path.lexists(searched_folder / file)):
                yield name

    @contextmanager
    def locked(
        self, shard: Shard, timeout_s: float, names: Iterable[str] = ()
    ) -> Iterator[Mapping[StateTable, StateChanges]]:
        """Lock the parts of a shard in every state table, and the parts that contain further connections.

        Every process takes the locks in the same order, so that two shards that need parts of each other can't deadlock.

        Args:
            shard: the shard.
            timeout_s: how long to wait for all of the locks together.
            names: names of further connections.

        Raises:
            ConnectionFailed: as for `StateTable.lock_parts` and `StateTable.require_in_use`.
        """
        parts = sorted({*shard.parts, *(Shard.name_of(part_of(name)) for name in names)})
        deadline = monotonic() + timeout_s
        with ExitStack() as stack:
            tables = sorted(self.tables, key=lambda table: table.place)  # independent of the order of the files
            locked = {
                table: stack.enter_context(table.lock_parts(parts, max(deadline - monotonic(), 0))) for table in tables
            }
            for table in tables:
                table.require_in_use()
            yield locked

    def close(self) -> None:
        """Let go of files and connections."""
        for table in self.tables:
            table.close()


@contextmanager
def open_states(
    state: StateLocation, files: Sequence[str], absent: Sequence[str], *, simulate: bool
) -> Iterator[StateOfRun]:
    """Yield the state of a run, and close it; arguments as for `StateOfRun`.

    A simulation has an empty one in a temporary folder: its results must not be recorded.
    """
    with ExitStack() as stack:
        location = state
        if simulate:
            from tempfile import TemporaryDirectory

            require_temporary_folder()
            folder = stack.enter_context(TemporaryDirectory(prefix="connform-"))
            location = state._replace(url=f"sqlite:///{folder}")
        yield stack.enter_context(closing(StateOfRun(location, files, absent, is_shared=bool(state.url))))


def _open_table(url: str, folder: Path) -> StateTable:
    """Return the state table of the manifests in a folder; errors as for `open_state` and `require_untracked`."""
    require_untracked(url, folder / FOLDER)
    return open_state(url, folder / FOLDER)


def _state_folders(folder: Path) -> Iterator[Path]:
    """Yield the state folders in a folder's repository: of the folder, its parents, and folders directly in these.

    Outside of a repository, other projects may lie beside the folder. So only its `connections` and its parent are searched.
    """
    parents = (folder, *folder.parents)
    roots = [parent for parent in parents if (parent / ".git").exists()]
    if not roots:
        yield from (*folder.glob(f"connections/{FOLDER}"), *folder.parent.glob(FOLDER))
        return
    # A submodule's `.git` is a file: the repository of its superproject is searched.
    top = next((root for root in roots if (root / ".git").is_dir()), roots[-1])
    for parent in parents[: parents.index(top) + 1]:
        for pattern in _STATE_FOLDERS:
            yield from parent.glob(pattern)
