"""Recorded state of a run: the state tables of its manifests, read and locked together; and shards of a run.

Layer 3; tables open their files and connections when they are first used.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.database import open_states
from connform.engine.run.state_location import FOLDER
from connform.engine.run.tracked_state import require_untracked

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from connform.database.state_table import StateChanges, StateTable
    from connform.engine.run.state_location import StateLocation
    from connform.recorded import AppliedRecord, RecordSummary

PARTS: Final = 64
"""A state is locked in parts, so that shards of a run don't wait for each other."""
_AROUND: Final = tuple(f"{place}{FOLDER}" for place in ("", "*/", "*/connections/"))
"""Where other states lie, from a folder that is looked at."""


class Shard(NamedTuple):
    """One of several runs that share the connections among them."""

    number: int = 1
    """1-based."""
    total: int = 1
    """How many there are, `PARTS` at most."""

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def has(self, connection: str) -> bool:
        """Whether a connection is this shard's: by its name alone, so that every machine says the same."""
        return self.total == 1 or part_of(connection) % self.total == self.number - 1

    @property
    def parts(self) -> list[str]:
        """The parts of the state that are this shard's."""
        return [self.name_of(part) for part in range(PARTS) if part % self.total == self.number - 1]

    @staticmethod
    def name_of(part: int) -> str:
        """Return the name of a part."""
        return f"{part:02}"


WHOLE: Final = Shard()


def part_of(connection: str) -> int:
    """Return the part of the state in which a connection lies."""
    from hashlib import sha256  # who only looks pays nothing for it

    return sha256(connection.encode()).digest()[0] % PARTS


def by_home(homes: Mapping[str, StateTable]) -> dict[StateTable, set[str]]:
    """Return the names of connections by where they are recorded."""
    names: dict[StateTable, set[str]] = {}
    for name, home in homes.items():
        names.setdefault(home, set()).add(name)
    return names


class StateOfRun:
    """The recorded state of a run: one for each folder of manifests, or the one that a URL names."""

    def __init__(self, state: StateLocation, files: Sequence[str]) -> None:
        """Take where state is kept, and the manifests of the run as they were named."""
        self._paths = {file: Path(os.path.abspath(file)) for file in files}  # noqa: PTH100  (without `..`)
        folders = dict.fromkeys(path.parent for path in self._paths.values()) or {Path.cwd(): None}
        self._homes: dict[Path, StateTable] = {}
        only: StateTable | None = None
        for folder in folders:
            if only is None or not state.url:
                only = _opened(state.url, folder)
            self._homes[folder] = only
        self._has_url = bool(state.url)
        self._roots = {folder: _repository(folder) for folder in folders}
        self._files = {
            named: path.relative_to(self._roots[path.parent]).as_posix() for named, path in self._paths.items()
        }

    @property
    def all(self) -> tuple[StateTable, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self._homes.values()))

    def of(self, folder: Path) -> StateTable:
        """Return the state of the manifests in a folder."""
        return self._homes[folder]

    def folder_of(self, states: StateTable) -> Path:
        """Return a folder whose manifests have their state there."""
        return next(folder for folder, home in self._homes.items() if home is states)

    def file(self, named: str) -> str:
        """Return the path of a manifest in its repository, which every checkout has alike; else its name."""
        return self._files[named]

    def folder(self, folder: Path) -> str:
        """Return the path of a manifest's folder in its repository; `.` at its top."""
        return folder.relative_to(self._roots[folder]).as_posix()

    def around(self) -> list[StateTable]:
        """Return the states of folders around the run's: in those above, up to the top of the repository, and right in them.

        A manifest that moves to another folder leaves its record there.
        """
        if self._has_url:
            return []
        found = {state.parent for folder in self._homes for state in _around(folder)}
        return [_opened("", folder) for folder in sorted(found - self._homes.keys())]

    def real_path(self, path: str) -> str:
        """Return where a path of a repository leads through links, as the repository names it; the same where nothing is there."""
        for root in dict.fromkeys(self._roots.values()):
            if os.path.lexists(root / path):
                real, top = Path(os.path.realpath(root / path)), Path(os.path.realpath(root))
                return real.relative_to(top).as_posix() if top in real.parents else str(real)
        return path

    def marks(self) -> dict[str, tuple[RecordSummary, StateTable]]:
        """Return the marks of every record and where it lies, by the connection's name. Takes no lock.

        Raises:
            ConnectionFailed: a fault of the store.
        """
        return {name: (mark, states) for states in self.all for name, mark in states.marks().items()}

    def read(self, only: Container[str] | None = None) -> dict[str, AppliedRecord]:
        """Return records by name, by default all; errors as for `marks`."""
        if only == frozenset():
            return {}
        return {name: record for states in self.all for name, record in states.read(only).items()}

    def outlived(self, marks: Mapping[str, RecordSummary], searched: Iterable[Path]) -> Iterator[str]:
        """Yield the names of records whose manifest was read, or would have been, were it still there.

        A run over one file must not forget what another declares, and not every machine has every file: what is
        missing from this one is gone only where its whole folder was read.

        Args:
            marks: records that no manifest of the run declares.
            searched: the folders that were read as a whole.
        """
        read = set(self._files.values())
        whole = {self.folder(folder): folder for folder in searched if folder in self._roots}
        for name, mark in marks.items():
            folder, _, file = mark.file.rpartition("/")
            place = whole.get(folder or ".")
            if mark.file in read or (place and not os.path.lexists(place / file)):
                yield name

    def is_left_out(self, file: str) -> bool:
        """Whether a manifest is there, by its path in the repository, and is no part of this run."""
        return file not in self._files.values() and any(os.path.lexists(root / file) for root in self._roots.values())

    @contextmanager
    def held(
        self, shard: Shard, timeout_s: float, names: Iterable[str] = ()
    ) -> Iterator[Mapping[StateTable, StateChanges]]:
        """Hold the parts of a shard in every state, and those of further names, within one time for all; errors as for `States.held`.

        Whoever holds several takes them in one order: shards that hold parts of each other's wait, and don't block each other.
        """
        parts = sorted({*shard.parts, *(Shard.name_of(part_of(name)) for name in names)})
        ends_at = monotonic() + timeout_s
        with ExitStack() as stack:
            in_one_order = sorted(self.all, key=lambda states: states.place)  # whatever order the files were named in
            yield {
                states: stack.enter_context(states.held(parts, max(ends_at - monotonic(), 0)))
                for states in in_one_order
            }

    def close(self) -> None:
        """Let go of files and connections."""
        for states in self.all:
            states.close()


def _opened(url: str, folder: Path) -> StateTable:
    """Return the state of the manifests in a folder; errors as for `open_states`, and for one that Git tracks."""
    require_untracked(url, folder / FOLDER)
    return open_states(url, folder / FOLDER)


def _around(folder: Path) -> Iterator[Path]:
    """Yield where other states lie: those of other projects, beside this one, are none of its."""
    above = (folder, *folder.parents)
    tops = [place for place in above if (place / ".git").exists()]
    if not tops:
        yield from (*folder.glob(f"connections/{FOLDER}"), *folder.parent.glob(FOLDER))
        return
    top = next((place for place in tops if (place / ".git").is_dir()), tops[-1])  # a submodule has a file there
    for place in above[: above.index(top) + 1]:
        for pattern in _AROUND:
            yield from place.glob(pattern)


def _repository(folder: Path) -> Path:
    return next((root for root in (folder, *folder.parents) if (root / ".git").exists()), folder)
