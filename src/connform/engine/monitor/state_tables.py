"""The state databases of a monitor: recorded checks, and the schedule that replicas share. Layer 3; uses the databases.

There is one for each folder of manifests, or the one at a URL. Threads may share it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from uuid import uuid4

from connform.database import open_checks, open_schedule
from connform.database.check_table import CheckTable
from connform.database.schedule_table import Claim, Pause, ScheduleTable
from connform.engine.run.state_location import FOLDER, StateLocation
from connform.engine.run.tracked_state import require_untracked
from connform.manifest.model import Connection
from connform.process_local import ProcessLocal
from connform.recorded_checks import CheckHistory, RecordedCheck


class _Tables(NamedTuple):
    checks: CheckTable
    schedule: ScheduleTable


class StateTables:
    """The tables of all connections. Errors of all methods are faults of a state database (`ConnectionFailed`)."""

    def __init__(self, state: StateLocation) -> None:
        self._state = state
        self._replica = uuid4().hex
        self._tables: dict[Path, _Tables] = {}
        self._folders: dict[str, Path] = {}
        self._lock = ProcessLocal(Lock)

    def declare(self, connections: Iterable[Connection]) -> None:
        """Take the connections that are declared now."""
        self._folders = {one.name: Path() if self._state.url else one.base for one in connections}

    def require(self) -> None:
        """Set up the tables of the declared connections, without a look into a database.

        Raises:
            ConnectionFailed: `config_invalid` or `store_insecure`, a state can't be where it is said to be; `store_unavailable`, a library is missing.
        """
        for folder in set(self._folders.values()):
            self._open(folder)

    def add(self, interval_s: float, slowed: Collection[str]) -> None:
        """Add all connections to the schedule, as `ScheduleTable.add`."""
        for tables, names in self._by_database(self._folders):
            tables.schedule.add(names, interval_s, slowed)

    def claim(self, names: Collection[str], most: int, lease_s: float) -> Claim:
        """Claim connections that are due, as `ScheduleTable.claim`."""
        claimed: list[str] = []
        next_s = lease_s
        for tables, its_names in self._by_database(names):
            claim = tables.schedule.claim(its_names, most - len(claimed), lease_s)
            claimed += claim.names
            next_s = min(next_s, claim.next_s)
        return Claim(claimed, next_s)

    def record(self, checks: Mapping[str, RecordedCheck], pauses: Mapping[str, Pause], keep: timedelta) -> None:
        """Record checks, and when their connections are due again."""
        for tables, names in self._by_database(checks):
            tables.checks.record([checks[name] for name in names], keep=keep)
        for tables, names in self._by_database(pauses):
            tables.schedule.done({name: pauses[name] for name in names})

    def histories(self, at_most: int) -> dict[str, CheckHistory]:
        """Return what is recorded of the declared connections, with so many of the latest changes and hours."""
        found: dict[str, CheckHistory] = {}
        for tables, names in self._by_database(self._folders):
            found |= tables.checks.histories(frozenset(names), with_hours=at_most > 0, at_most=at_most)
        return found

    def due_times(self) -> dict[str, float]:
        """Return when each declared connection is due, in seconds since 1970."""
        due: dict[str, float] = {}
        for tables, names in self._by_database(self._folders):
            times = tables.schedule.due_times()
            due |= {name: times[name] for name in names if name in times}
        return due

    def release(self) -> None:
        """Give up all claims."""
        for tables in list(self._tables.values()):
            tables.schedule.release()

    def close(self) -> None:
        """Close files and connections."""
        while self._tables:
            _, tables = self._tables.popitem()
            tables.checks.close()
            tables.schedule.close()

    def _by_database(self, names: Iterable[str]) -> Iterator[tuple[_Tables, list[str]]]:
        """Yield the tables of each database, with those of `names` that lie there."""
        by_folder: dict[Path, list[str]] = {}
        for name in names:
            if name in self._folders:  # else it was removed from the manifest meanwhile
                by_folder.setdefault(self._folders[name], []).append(name)
        for folder, its_names in by_folder.items():
            yield self._open(folder), its_names

    def _open(self, folder: Path) -> _Tables:
        with self._lock.own:
            if folder not in self._tables:
                require_untracked(self._state.url, folder / FOLDER)
                place = self._state.url, folder / FOLDER
                self._tables[folder] = _Tables(open_checks(*place), open_schedule(*place, self._replica))
            return self._tables[folder]
