"""Renames a connection in a state database: record, history and grant, in one transaction.

Layer 2, no IO of its own. Both names' parts of the state, and both names' grants, are held by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.database.state_table import DELETE_OLD_ATTEMPTS, MAX_ATTEMPTS

if TYPE_CHECKING:
    from connform.database.grant_table import GrantTable
    from connform.database.state_table import StateChanges

_IS_RECORDED: Final = "SELECT 1 FROM connform_connections WHERE connection = ?"
_DELETE_RECORD: Final = "DELETE FROM connform_connections WHERE connection = ?"
_RENAME_RECORD: Final = "UPDATE connform_connections SET connection = ? WHERE connection = ?"
_COPY_HISTORY: Final = (
    "INSERT INTO connform_history (connection, at, attempt) SELECT CAST(? AS TEXT), at, attempt FROM connform_history "
    "WHERE connection = ? ON CONFLICT DO NOTHING"
)
_DELETE_HISTORY: Final = "DELETE FROM connform_history WHERE connection = ?"


def rename(changes: StateChanges, grants: GrantTable, old: str, new: str) -> None:
    """Give record, history and grant of a connection to another name.

    A record of the new name gives way, and its attempts stay remembered; it is the caller's to see that it matters to nobody. A grant of
    the new name never does.

    Args:
        changes: the right to change the state.
        grants: the store of the grants in the same database.
        old: the name that it has.
        new: the name that it gets.

    Raises:
        ConnectionFailed: a fault of the store; nothing has changed then.
    """
    with changes.writing() as execute:
        if execute(_IS_RECORDED, (old,)):
            execute(_DELETE_RECORD, (new,))
            execute(_RENAME_RECORD, (new, old))
        execute(_COPY_HISTORY, (new, old))
        execute(_DELETE_HISTORY, (old,))
        execute(DELETE_OLD_ATTEMPTS, (new, new, MAX_ATTEMPTS - 1))
        grants.rename(execute, old, new)
