"""Comparison of one connection's declaration with its record: the change to make.

Layer 3, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.engine.changes.living_grants import leaves_grant, living
from connform.engine.changes.plan import Action, Change
from connform.engine.changes.specification import FieldChange, differences, digest, specification

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connform.database.state_table import StateTable
    from connform.engine.run.states import StateOfRun
    from connform.grant import GrantFacts
    from connform.manifest.decode import Manifest
    from connform.manifest.model import Connection
    from connform.recorded import Applied, RecordSummary

_NOWHERE: Final = "<stdin>"
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
    states: StateTable
    """The state table where it is recorded, or will be."""
    moved_from: str = ""
    """The old name under which it is recorded; empty if it isn't renamed."""

    @property
    def recorded_as(self) -> str:
        """The name under which it is looked up in the recorded state."""
        return self.moved_from or self.connection.name

    def action(self, mark: RecordSummary | None) -> Action:
        """Return what is to be done, by the summary of its record; `None` if it isn't recorded."""
        return Action.MOVE if self.moved_from else self.further_action(mark)

    def further_action(self, mark: RecordSummary | None) -> Action:
        """Return what is to be done besides the renaming; argument as for `action`."""
        if mark is None or not mark.digest:
            return Action.CREATE
        is_applied = mark.is_applied and mark.digest == self.digest and not self.is_moved(mark)
        return Action.NONE if is_applied else Action.UPDATE

    def is_moved(self, mark: RecordSummary) -> bool:
        """Whether it was recorded from another file; never for a manifest from standard input."""
        return self.file != mark.file and self.connection.span.file != _NOWHERE


def declared_connection(connection: Connection, manifest: Manifest, states: StateOfRun) -> DeclaredConnection:
    """Return a declared connection with its specification and the state table where it is recorded."""
    spec = specification(connection, manifest.stores, states.folder_path)
    file, home = states.manifest_path(connection.span.file), states.table(connection.base)
    return DeclaredConnection(connection, spec, digest(spec), file, home)


def change_of_removed(applied: Applied, states: StateTable, remark: str, grant: GrantFacts | None) -> Change:
    """Return the removal of a connection that is recorded and no longer declared.

    Args:
        applied: what was applied.
        states: the state table where it is recorded.
        remark: another reason to show; empty for none.
        grant: its grant; `None` where it has none.
    """
    mark = applied.mark
    reasons = (*_failed(mark), *([remark] if remark else ()))
    change = Change(applied.connection, Action.REMOVE, mark.digest, "", reasons, None, applied, states, {})
    return change._replace(revokes=living(grant))


def change_of_declared(
    one: DeclaredConnection, mark: RecordSummary | None, applied: Applied | None, grant: GrantFacts | None
) -> Change:
    """Return the change of a declared connection.

    Args:
        one: the declared connection.
        mark: the summary of its record; `None` where it isn't recorded.
        applied: what was applied; `None` where nothing was, or there is nothing to do.
        grant: its grant; `None` where it has none.
    """
    further = one.further_action(mark)
    before = mark.digest if mark else ""
    fields: tuple[FieldChange, ...] = ()
    reasons = list(_failed(mark))
    if further is Action.UPDATE and mark and applied:
        fields = differences(applied.spec, one.spec)
        if before != one.digest and not fields:
            reasons.append("it was recorded in an earlier form")
        if one.is_moved(mark):
            fields = (FieldChange("/file", mark.file, one.file), *fields)
    return Change(
        name=one.connection.name,
        action=one.action(mark),
        before=before,
        after=one.digest,
        reasons=tuple(reasons),
        connection=one.connection,
        applied=applied._replace(connection=one.connection.name) if applied else None,
        states=one.states,
        spec=one.spec,
        fields=fields,
        moved_from=one.moved_from,
        is_only_moved=bool(one.moved_from) and further is Action.NONE,
        revokes=living(grant) if leaves_grant(applied, one.connection) else None,
    )


def _failed(mark: RecordSummary | None) -> tuple[str, ...]:
    """Return the reason for another attempt, if the last one failed."""
    return (f"the last attempt failed: {mark.fault}",) if mark and mark.fault else ()
