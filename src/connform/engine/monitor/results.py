"""Results of checks in memory: at most the latest of each connection, until the state database has it. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connform.database.schedule_table import Pause
from connform.recorded_checks import CheckHistory, RecordedCheck


class Unrecorded(NamedTuple):
    """Results that the state database doesn't have yet."""

    checks: Mapping[str, RecordedCheck]
    """The latest check of each connection."""
    pauses: Mapping[str, Pause]
    """When each is to be checked again."""


_NOTHING = Unrecorded({}, {})


class Results:
    """The results of one replica's checks. Only the thread of the event loop changes them."""

    def __init__(self) -> None:
        self._checks: dict[str, RecordedCheck] = {}
        self._pauses: dict[str, Pause] = {}
        self._verdicts: dict[str, tuple[str, str]] = {}
        self._taken = _NOTHING

    def __len__(self) -> int:
        return len(self._checks)

    def know(self, histories: Mapping[str, CheckHistory]) -> None:
        """Take the verdicts that are recorded, to tell what a change is."""
        self._verdicts |= {name: (one.latest.verdict, one.latest.fault) for name, one in histories.items()}

    def add(self, check: RecordedCheck, pause: Pause) -> tuple[str, str] | None:
        """Add a result. Return the verdict and the fault before it, both empty for the first; `None` if they are the same."""
        new = check.verdict, check.fault
        old = self._verdicts.get(check.connection, ("", ""))
        self._verdicts[check.connection] = new
        self._checks[check.connection] = check
        self._pauses[check.connection] = pause
        return None if new == old else old

    def take(self) -> Unrecorded:
        """Return what is to be recorded; `recorded` or `put_back` says what became of it."""
        self._taken = Unrecorded(self._checks, self._pauses)
        self._checks, self._pauses = {}, {}
        return self._taken

    def recorded(self) -> None:
        """Forget what was taken."""
        self._taken = _NOTHING

    def put_back(self) -> None:
        """Take back what could not be recorded, except of connections that were checked since."""
        self._checks = {**self._taken.checks, **self._checks}
        self._pauses = {**self._taken.pauses, **self._pauses}
        self._taken = _NOTHING

    def unrecorded(self) -> dict[str, RecordedCheck]:
        """Return the checks that are not recorded yet."""
        return {**self._taken.checks, **self._checks}

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget connections that are not declared any more."""
        self._checks = {name: one for name, one in self._checks.items() if name in names}
        self._pauses = {name: one for name, one in self._pauses.items() if name in names}
        self._verdicts = {name: one for name, one in self._verdicts.items() if name in names}
