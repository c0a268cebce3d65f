"""Records a round of checks in the state of a run. Layer 3; writes the state database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from connform.database.check_table import LATEST
from connform.database.state_table import StateTable
from connform.engine.connection_report import ConnectionReport
from connform.engine.run.recorded_check import recorded_check
from connform.engine.run.secret_resolver import SecretSource
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.errors import ConnectionFailed
from connform.manifest.model import Connection
from connform.recorded import Actor
from connform.recorded_checks import CheckHistory, RecordedCheck

KEEP_BY_DEFAULT = timedelta(days=30)
"""For how long changes of verdict and hourly figures are kept."""


class Recording(NamedTuple):
    """How a round is recorded."""

    by: Actor
    """Who makes the checks."""
    keep: timedelta = KEEP_BY_DEFAULT
    """For how long changes of verdict and hourly figures are kept."""


class RecordedRound(NamedTuple):
    """What became of recording a round."""

    histories: dict[str, CheckHistory]
    """What is recorded of the checks of each connection now, by name; with the `LATEST` changes and hourly figures."""
    failures: tuple[ConnectionFailed, ...]
    """Why results could not be recorded, one for each state database."""


class RoundRecorder:
    """Takes the results of a round of checks, and records them at its end."""

    def __init__(self, state: StateLocation, files: Sequence[str], recording: Recording) -> None:
        """Set up the state tables of manifests.

        Raises:
            ConnectionFailed: `config_invalid` or `store_insecure`, the state can't be where it is said to be.
        """
        self._states = StateOfRun(state, files)
        self._recording = recording
        self._checks: dict[StateTable, list[RecordedCheck]] = {}

    def add(self, connection: Connection, report: ConnectionReport, source: SecretSource) -> None:
        """Take the result of a check that ended just now; `source` knows the versions of its secrets."""
        check = recorded_check(connection, report, source.versions(connection), self._recording.by)
        self._checks.setdefault(self._states.table(connection.base), []).append(check)

    def write(self) -> RecordedRound:
        """Record what was taken, each in the state of its manifest's folder. One database that fails doesn't keep the others from it."""
        histories: dict[str, CheckHistory] = {}
        failures: list[ConnectionFailed] = []
        for table, checks in self._checks.items():
            try:
                self._require_own_database()
                table.checks.record(checks, keep=self._recording.keep)
                histories |= table.checks.histories({check.connection for check in checks}, at_most=LATEST)
            except ConnectionFailed as failure:
                failures.append(failure)
        return RecordedRound(histories, tuple(failures))

    def close(self) -> None:
        """Let go of files and connections."""
        self._states.close()

    def _require_own_database(self) -> None:
        """Require that the database isn't that of another repository, whose connections may have the same names.

        Raises:
            ConnectionFailed: `config_invalid`; a fault of the state database.
        """
        if other := self._states.other_repository():
            message = f"the database belongs to another repository, {other}"
            hint = (
                "give this one a database or a schema of its own, or both the same --repository (CONNFORM_REPOSITORY)"
            )
            raise ConnectionFailed("config_invalid", message, hint)
