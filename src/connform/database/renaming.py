"""Renames a connection in a state database: record, history, recorded checks and grant, in one transaction. Its issued token is dropped.

Layer 2, no IO of its own. The caller has locked the parts of the state and the grants of both names.
"""

from __future__ import annotations

from connform.database.check_rows import rename_checks
from connform.database.grant_table import GrantTable
from connform.database.state_changes import DELETE_OLD_ATTEMPTS, MAX_ATTEMPTS, StateChanges
from connform.database.token_rows import delete_token

_IS_RECORDED = "SELECT 1 FROM connform_connections WHERE connection = ?"
_DELETE_RECORD = "DELETE FROM connform_connections WHERE connection = ?"
_RENAME_RECORD = "UPDATE connform_connections SET connection = ? WHERE connection = ?"
_COPY_HISTORY = (
    "INSERT INTO connform_history (connection, at, attempt) SELECT CAST(? AS TEXT), at, attempt FROM connform_history "
    "WHERE connection = ? ON CONFLICT DO NOTHING"
)
_DELETE_HISTORY = "DELETE FROM connform_history WHERE connection = ?"


def rename(changes: StateChanges, grants: GrantTable, old: str, new: str) -> None:
    """Rename the record, the history, the recorded checks and the grant of a connection; drop its issued token.

    A record with the new name is replaced, if there is one with the old name; its history stays. The caller must check that it may be
    replaced. A grant with the new name is never replaced.

    Args:
        changes: the right to change the state.
        grants: the table of grants in the same database.
        old: the old name.
        new: the new name.

    Raises:
        ConnectionFailed: a fault of the state database; nothing was changed.
    """
    with changes.writing() as execute:
        if execute(_IS_RECORDED, (old,)):
            execute(_DELETE_RECORD, (new,))
            execute(_RENAME_RECORD, (new, old))
        execute(_COPY_HISTORY, (new, old))
        execute(_DELETE_HISTORY, (old,))
        execute(DELETE_OLD_ATTEMPTS, (new, new, MAX_ATTEMPTS - 1))
        rename_checks(execute, old, new)
        grants.rename(execute, old, new)
        for name in (old, new):  # an issued token is bound to its name, and can be obtained again
            delete_token(execute, name)
