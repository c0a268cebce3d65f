"""`Overview`: what a monitor shows: a report on all declared connections, of all replicas, from the state database. Layer 3.

Threads of the server call it; it has connections to the database of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from connform.engine.connection_report import ConnectionReport, StageResult
from connform.engine.monitor.monitor import Monitor
from connform.engine.monitor.state_tables import StateTables
from connform.engine.report import Report
from connform.engine.run.describe import describe
from connform.engine.run.secret_resolver import SecretResolver
from connform.errors import ConnectionFailed
from connform.faults import FAULTS, Stage, Verdict
from connform.manifest.model import Connection
from connform.recorded_checks import CheckHistory, RecordedCheck
from connform.secrets.kit.interface import Fetched

_NOT_YET = "not checked yet"
_COUNTED = (Verdict.READY, Verdict.FAILED, Verdict.UNKNOWN)


class SecretVersion(NamedTuple):
    """A secret of a connection whose store says when its version was written."""

    connection: str
    """The connection's name."""
    key: str
    """The key under `auth:`, or `proxy.password`."""
    written_at: datetime
    """When, aware UTC."""


class Overview:
    """The connections of a monitor, as they are now."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._tables = StateTables(monitor.settings.state)
        self._histories: Mapping[str, CheckHistory] = {}
        self._due_times: Mapping[str, float] = {}

    def report(self, latest_hours: int) -> Report:
        """Return a report with the recorded checks of each connection; while the database is away, what was known last.

        Args:
            latest_hours: how many of the latest hourly figures and changes of each connection; 0 for none.
        """
        declared = self._monitor.declared
        connections = declared.connections.values()
        self._tables.declare(connections)
        try:
            histories = self._tables.histories(latest_hours)
            self._due_times = self._tables.due_times()
        except ConnectionFailed:
            histories = dict(self._histories)
        else:
            self._histories = {name: one._replace(changes=(), hours=()) for name, one in histories.items()}
        for name, check in self._monitor.results.unrecorded().items():
            histories[name] = _with_latest(histories.get(name), check)
        status = self._monitor.status
        failure = status.state_failure
        reports = tuple(_report(connection, histories.get(connection.name)) for connection in connections)
        return declared.report._replace(
            command="monitor",
            diagnostics=(*declared.report.diagnostics, *status.refused),
            connections=reports,
            connection_count=len(reports),
            simulated=self._monitor.settings.simulate,
            unrecorded=(failure,) if failure else (),
        )

    def due_times(self) -> Mapping[str, float]:
        """Return when each connection is due, in seconds since 1970, as of the last `report`."""
        return self._due_times

    def secret_versions(self) -> list[SecretVersion]:
        """Return the secrets of which is known when they were written."""
        current = self._monitor.round
        source = current.context.source if current else None
        if current is None or not isinstance(source, SecretResolver):
            return []
        return [
            SecretVersion(connection.name, key, outcome.since)
            for connection in current.declared.connections.values()
            for key, outcome in source.outcomes(connection).items()
            if isinstance(outcome, Fetched) and outcome.since
        ]

    def close(self) -> None:
        """Close files and connections."""
        self._tables.close()


def _with_latest(history: CheckHistory | None, check: RecordedCheck) -> CheckHistory:
    """Return a history with a check that is not recorded yet."""
    if history is None:
        return CheckHistory(check, check.at, {verdict: int(verdict == check.verdict) for verdict in _COUNTED})
    if history.latest.at >= check.at:
        return history
    since = history.since if history.latest.verdict == check.verdict else check.at
    return history._replace(latest=check, since=since)


def _report(connection: Connection, history: CheckHistory | None) -> ConnectionReport:
    if history is None:
        return describe(connection)._replace(verdict=Verdict.SKIPPED, message=_NOT_YET)
    latest = history.latest
    stages = [
        StageResult(Stage(one["name"]), one["status"], one["elapsed_ms"] / 1000, _facts(one)) for one in latest.stages
    ]
    fault = FAULTS.get(latest.fault)
    reported = describe(connection, latest.base_url)._replace(
        verdict=Verdict(latest.verdict),
        stage=Stage(latest.stage) if latest.stage else None,
        fault=latest.fault,
        message=latest.message,
        hint=latest.hint,
        elapsed_s=sum(one.elapsed_s for one in stages),
        stages=tuple(stages),
        checks=history,
    )
    return reported._replace(exit_code=fault.exit_code) if fault else reported


def _facts(stage: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in stage.items() if name not in {"name", "status", "elapsed_ms"}}
