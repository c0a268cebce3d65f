"""Comparison of one connection's declaration with its record: the change to make.

Layer 3, no IO.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from connform.database.state_table import StateTable
from connform.engine.changes.living_grants import leaves_grant, living_grant
from connform.engine.changes.plan import Action, Change
from connform.engine.changes.specification import FieldChange, StorePart, differences, specify
from connform.engine.run.states import StateOfRun
from connform.grant import GrantFacts
from connform.manifest.model import Connection
from connform.recorded import Applied, RecordSummary

_NOWHERE = "<stdin>"
"""The file name of a manifest that was read from standard input."""


class DeclaredConnection(NamedTuple):
    """A declared connection, with the values that are compared with its record."""

    connection: Connection
    """The connection."""
    spec: Mapping[str, Any]
    """Its specification."""
    digest: str
    """The digest of its specification."""
    file: str
    """The path of its manifest in the repository."""
    table: StateTable
    """The state table where it is recorded, or will be."""
    moved_from: str = ""
    """The old name under which it is recorded; empty if it isn't renamed."""
    fields: tuple[FieldChange, ...] = ()
    """The values that differ from those that were applied."""

    @property
    def recorded_as(self) -> str:
        """The name under which it is looked up in the recorded state."""
        return self.moved_from or self.connection.name

    def compared_with(self, applied: Applied) -> "DeclaredConnection":
        """Return it with the values that differ; as it was applied, if it is only written differently."""
        if not applied.summary.digest:
            return self
        fields = differences(applied.spec, self.spec)
        if fields:
            return DeclaredConnection(*self[:-1], fields)
        return self._replace(spec=applied.spec, digest=applied.summary.digest)

    def action(self, summary: RecordSummary | None) -> Action:
        """Return what is to be done besides a renaming, by the summary of its record; `None` if it isn't recorded."""
        if summary is None or not summary.digest:
            return Action.CREATE
        is_applied = summary.is_applied and summary.digest == self.digest and not self.is_from_other_file(summary)
        return Action.NONE if is_applied else Action.UPDATE

    def is_from_other_file(self, summary: RecordSummary) -> bool:
        """Whether it was recorded from another file; never for a manifest from standard input."""
        return self.file != summary.file and self.connection.file != _NOWHERE


def declared_connection(
    connection: Connection, stores: Mapping[str, StorePart], states: StateOfRun
) -> DeclaredConnection:
    """Return a declared connection with its specification and the state table where it is recorded; `stores` as for `specify`."""
    spec, digest = specify(connection, stores, states.paths.of_folder)
    return DeclaredConnection(connection, spec, digest, *states.place_of(connection.file, connection.base))


def removal_change(applied: Applied, table: StateTable, remark: str, grant: GrantFacts | None) -> Change:
    """Return the removal of a connection that is recorded and no longer declared.

    Args:
        applied: what was applied.
        table: the state table where it is recorded.
        remark: another reason to show; empty for none.
        grant: its grant; `None` if it has none.
    """
    summary = applied.summary
    failures = _failure_reasons(summary) if summary.digest else ()  # what never was applied may go without a word
    reasons = (*failures, *([remark] if remark else ()))
    change = Change(applied.connection, Action.REMOVE, summary.digest, "", reasons, None, applied, table, {})
    return change._replace(revokes=living_grant(grant))


def declared_change(
    declared: DeclaredConnection, summary: RecordSummary | None, applied: Applied | None, grant: GrantFacts | None
) -> Change:
    """Return the change of a declared connection.

    Args:
        declared: the declared connection.
        summary: the summary of its record; `None` if it isn't recorded.
        applied: what was applied; `None` if nothing was, or there is nothing to do.
        grant: its grant; `None` if it has none.
    """
    action, fields, moved_from = declared.action(summary), declared.fields, declared.moved_from
    if action is Action.UPDATE and summary and declared.is_from_other_file(summary):
        fields = (FieldChange("/file", summary.file, declared.file), *fields)
    name = declared.connection.name
    change = Change(
        name,
        action,
        summary.digest if summary else "",
        declared.digest,
        _failure_reasons(summary),
        declared.connection,
        applied,
        declared.table,
        declared.spec,
        fields,
    )
    if moved_from:
        change = change._replace(
            action=Action.MOVE,
            applied=applied._replace(connection=name) if applied else None,
            moved_from=moved_from,
            is_only_moved=action is Action.NONE,
        )
    if grant and leaves_grant(applied, declared.connection):
        change = change._replace(revokes=living_grant(grant))
    return change


def _failure_reasons(summary: RecordSummary | None) -> tuple[str, ...]:
    """Return the reason for another attempt, if the last one failed."""
    return (f"the last attempt failed: {summary.fault}",) if summary and summary.fault else ()
