"""Applying of planned changes: each connection is checked, recorded and reported; a removal ends its grant.

Layer 3; uses the network, and writes the state database. A change is reported as done after it has been recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from copy import copy

from connform.database.state_table import StateTable
from connform.engine.changes.attempts import record_of_attempt, record_of_failed_removal
from connform.engine.changes.group_commit import GroupCommit
from connform.engine.changes.living_grants import leaves_grant
from connform.engine.changes.plan import Change, describe_change
from connform.engine.changes.production import records_to_keep
from connform.engine.changes.removal import GrantRemover, recorded_folder
from connform.engine.connection_report import ConnectionReport, Remark
from connform.engine.run.concurrency import to_its_end
from connform.engine.run.context import RunContext
from connform.engine.run.describe import with_failure
from connform.engine.run.live_check import check_connection
from connform.engine.run.states import StateOfRun
from connform.errors import ConnectionFailed
from connform.faults import Verdict
from connform.manifest.model import Connection
from connform.recorded import Actor


class ChangeApplier:
    """Applies the changes of a plan; several at once."""

    def __init__(
        self,
        context: RunContext,
        remover: GrantRemover,
        states: StateOfRun,
        group_commits: Mapping[StateTable, GroupCommit],
        rename_failures: Mapping[str, ConnectionFailed],
        shared_files: Sequence[str],
        by: Actor,
        timeout_s: float | None,
    ) -> None:
        """Set up the applier.

        Args:
            context: the run context.
            remover: ends grants.
            states: the recorded state.
            group_commits: what writes to each state table.
            rename_failures: why connections could not be renamed, by their new names.
            shared_files: the manifests of the run, where a state table may belong to several folders; else none.
            by: the person or CI job that applies.
            timeout_s: the limit of each check; `None` for the connection's own.
        """
        self._context = context
        self._remover = remover
        self._states = states
        self._group_commits = group_commits
        self._rename_failures = rename_failures
        self._shared_files = shared_files
        self._by = by
        self._timeout_s = timeout_s

    async def apply(self, change: Change) -> ConnectionReport:
        """Apply one change, record it, and return its report, which needn't say yet what was planned."""
        group_commit = self._group_commits[change.table]
        try:
            if change.name in self._rename_failures:
                raise self._rename_failures[change.name]
            group_commit.require_working()
            if change.connection is None:
                return await to_its_end(self._remove(change, group_commit))
            connection = copy(change.connection)  # what is decoded of it now isn't kept for thousands
            checked = await check_connection(connection, self._context, self._timeout_s)
            return await to_its_end(self._record(change, connection, checked, group_commit))
        except ConnectionFailed as failure:
            return with_failure(describe_change(change), failure)

    def renamed(self, change: Change) -> ConnectionReport:
        """Return the report of a change that only renames, which was applied before all others."""
        report = describe_change(change)._replace(verdict=Verdict.READY)
        failure = self._rename_failures.get(change.name)
        return with_failure(report, failure) if failure else report

    async def _record(
        self, change: Change, connection: Connection, checked: ConnectionReport, group_commit: GroupCommit
    ) -> ConnectionReport:
        """End the grant that a checked connection leaves, record the check, and return its report."""
        versions = self._context.source.versions(connection)
        if checked.verdict is Verdict.READY and leaves_grant(change.applied, connection):
            checked = await self._end_grant(change, checked)
        file = self._states.paths.of_manifest(connection.file)
        record = record_of_attempt(change, connection, checked, versions, file, self._by)
        await group_commit.write(record, records_to_keep(change.applied, record.spec))
        return checked

    async def _remove(self, change: Change, group_commit: GroupCommit) -> ConnectionReport:
        assert change.applied is not None  # noqa: S101  (a connection that is no longer declared was applied)
        report = await self._end_grant(change, describe_change(change)._replace(verdict=Verdict.READY))
        is_removed = report.verdict is Verdict.READY
        entry = change.name if is_removed else record_of_failed_removal(change.applied, report, self._by)
        await group_commit.write(entry, records_to_keep(change.applied, {}) if is_removed else ())
        return report

    async def _end_grant(self, change: Change, report: ConnectionReport) -> ConnectionReport:
        """Revoke and delete the grant of what was applied; return the report with the outcome."""
        assert change.applied is not None  # noqa: S101  (only a connection that was applied has a grant to end)
        folder = recorded_folder(change, change.applied, self._states, self._shared_files)
        try:
            outcome = await asyncio.to_thread(self._remover.end, change.applied, folder)
        except ConnectionFailed as failure:
            return with_failure(report, failure)
        if outcome.is_lost:
            return report._replace(warnings=(*report.warnings, Remark("grant-not-revoked", outcome.message)))
        return report._replace(message=outcome.message)
