"""Recorded state of a run: the state tables of its manifests, read and locked together; and shards of a run.

Layer 3; tables open their files and connections when they are first used.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from connform.database import open_state
from connform.database.state_table import StateChanges, StateTable
from connform.engine.run.state_location import FOLDER, StateLocation
from connform.engine.run.tracked_state import require_untracked
from connform.recorded import AppliedRecord, RecordSummary

PARTS = 64
"""How many parts of a state table can be locked separately, so that shards of a run don't wait for each other."""
_STATE_FOLDERS = tuple(f"{parents}{FOLDER}" for parents in ("", "*/", "*/connections/"))
"""The patterns of other state folders, relative to a folder of the repository."""


class Shard(NamedTuple):
    """One of several runs that divide the connections among them."""

    number: int = 1
    """The number of this shard, from 1."""
    total: int = 1
    """The number of shards, at most `PARTS`."""

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def has(self, connection: str) -> bool:
        """Whether a connection belongs to this shard. That depends on its name alone, so it is the same on every machine."""
        return self.total == 1 or part_of(connection) % self.total == self.number - 1

    @property
    def parts(self) -> list[str]:
        """The names of the parts of the state that belong to this shard."""
        return [self.name_of(part) for part in range(PARTS) if part % self.total == self.number - 1]

    @staticmethod
    def name_of(part: int) -> str:
        """Return the name of a part by its number."""
        return f"{part:02}"


SINGLE_SHARD = Shard()
"""The only shard of a run that isn't divided."""


def part_of(connection: str) -> int:
    """Return the number of the part of the state that contains a connection."""
    from hashlib import sha256  # imported here, because reading state doesn't need it

    return sha256(connection.encode()).digest()[0] % PARTS


def by_table(tables: Mapping[str, StateTable]) -> dict[StateTable, set[str]]:
    """Return the names of connections by the state table where they are recorded."""
    names: dict[StateTable, set[str]] = {}
    for name, table in tables.items():
        names.setdefault(table, set()).add(name)
    return names


class StateOfRun:
    """The state tables of a run: one for each folder of manifests, or the one at a URL."""

    def __init__(self, state: StateLocation, files: Sequence[str]) -> None:
        """Set up the state tables of the manifests `files`, named as on the command line."""
        self._paths = {file: Path(os.path.abspath(file)) for file in files}  # noqa: PTH100  (without `..`)
        folders = dict.fromkeys(path.parent for path in self._paths.values()) or {Path.cwd(): None}
        self._tables: dict[Path, StateTable] = {}
        shared: StateTable | None = None
        for folder in folders:
            if shared is None or not state.url:
                shared = _open_table(state.url, folder)
            self._tables[folder] = shared
        self._has_url = bool(state.url)
        self._roots = {folder: _repository_root(folder) for folder in folders}
        self._files = {
            named: path.relative_to(self._roots[path.parent]).as_posix() for named, path in self._paths.items()
        }

    @property
    def tables(self) -> tuple[StateTable, ...]:
        """All state tables, each once."""
        return tuple(dict.fromkeys(self._tables.values()))

    def table(self, folder: Path) -> StateTable:
        """Return the state table of the manifests in a folder."""
        return self._tables[folder]

    def folder_of(self, table: StateTable) -> Path:
        """Return the first folder whose manifests are recorded in a state table."""
        return next(folder for folder, its_table in self._tables.items() if its_table is table)

    def manifest_path(self, named: str) -> str:
        """Return the path of a manifest, relative to its repository, or to its folder if it lies in no repository.

        It is the same in every checkout.
        """
        return self._files[named]

    def folder_path(self, folder: Path) -> str:
        """Return the path of a manifest's folder, relative to its repository; `.` for the top, and without a repository."""
        return folder.relative_to(self._roots[folder]).as_posix()

    def other_tables(self) -> list[StateTable]:
        """Return the state tables of other folders of the repository: of parent folders, and of folders directly in these.

        A manifest that was moved to another folder leaves its records in the old one.
        """
        if self._has_url:
            return []
        others = {state.parent for folder in self._tables for state in _state_folders(folder)} - self._tables.keys()
        return [_open_table("", folder) for folder in sorted(others)]

    def real_path(self, path: str) -> str:
        """Return a path of a repository with links followed, relative to the repository; the same if nothing exists there.

        It is absolute if the links lead out of the repository.
        """
        for root in dict.fromkeys(self._roots.values()):
            if os.path.lexists(root / path):
                real, top = Path(os.path.realpath(root / path)), Path(os.path.realpath(root))
                return real.relative_to(top).as_posix() if top in real.parents else str(real)
        return path

    def summaries(self) -> dict[str, tuple[RecordSummary, StateTable]]:
        """Return the summary and the state table of every record, by the connection's name. Takes no lock.

        Raises:
            ConnectionFailed: a fault of the state database.
        """
        return {name: (summary, table) for table in self.tables for name, summary in table.summaries().items()}

    def read(self, only: Container[str] | None = None) -> dict[str, AppliedRecord]:
        """Return records by the connection's name, by default all; errors as for `summaries`."""
        if only == frozenset():
            return {}
        return {name: record for table in self.tables for name, record in table.read(only).items()}

    def undeclared(self, summaries: Mapping[str, RecordSummary], searched: Iterable[Path]) -> Iterator[str]:
        """Yield the names of records that are to be removed, because no manifest declares them any more.

        A run over one file must not remove what another file declares. So a record is removed only if its file was read
        in this run, or if the whole folder of the file was read and the file doesn't exist.

        Args:
            summaries: the summaries of records that no manifest of the run declares, by the connection's name.
            searched: the folders that were read as a whole.
        """
        read = set(self._files.values())
        searched_folders = {self.folder_path(folder): folder for folder in searched if folder in self._roots}
        for name, summary in summaries.items():
            folder, _, file = summary.file.rpartition("/")
            searched_folder = searched_folders.get(folder or ".")
            if summary.file in read or (searched_folder and not os.path.lexists(searched_folder / file)):
                yield name

    def is_left_out(self, file: str) -> bool:
        """Whether a manifest exists and is not part of this run; `file` is its path in the repository."""
        return file not in self._files.values() and any(os.path.lexists(root / file) for root in self._roots.values())

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
            ConnectionFailed: as for `StateTable.lock_parts`.
        """
        parts = sorted({*shard.parts, *(Shard.name_of(part_of(name)) for name in names)})
        deadline = monotonic() + timeout_s
        with ExitStack() as stack:
            tables = sorted(self.tables, key=lambda table: table.place)  # independent of the order of the files
            yield {
                table: stack.enter_context(table.lock_parts(parts, max(deadline - monotonic(), 0))) for table in tables
            }

    def close(self) -> None:
        """Let go of files and connections."""
        for table in self.tables:
            table.close()


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


def _repository_root(folder: Path) -> Path:
    """Return the root of the repository of a folder; the folder itself if it lies in no repository."""
    return next((root for root in (folder, *folder.parents) if (root / ".git").exists()), folder)
