"""What a state database records of `state copy`: its id, the database that took its place, and those whose place it took.

Layer 2, no IO of its own. A grant may be renewed in one database only: its refresh token may be valid for one use. So a database that was
copied is only read from then on.
"""

from typing import NamedTuple

from connform.database.interface import Execute
from connform.database.meta import DELETE_META, READ_META, SET_META
from connform.errors import ConnectionFailed

_NAME = "copies"


class CopiedTo(NamedTuple):
    """Where a state database was copied to."""

    id: str
    """The id of that database."""
    place: str
    """Its name in messages; without a password."""
    at: str
    """When, ISO 8601."""


class CopyMarks(NamedTuple):
    """What a state database records of copies."""

    id: str = ""
    """A random id; empty until the database takes part in a copy."""
    copied_to: CopiedTo | None = None
    """Where it was copied to; `None` while it is in use."""
    origins: tuple[str, ...] = ()
    """The ids of the databases whose content was copied into this one, directly or through others; sorted."""


def read_marks(execute: Execute) -> CopyMarks:
    """Return what a database records of copies."""
    for (value,) in execute(READ_META, (_NAME,)):
        import json  # few databases were copied

        plain = json.loads(bytes(value))
        copied_to = CopiedTo(**plain["copied_to"]) if plain["copied_to"] else None
        return CopyMarks(plain["id"], copied_to, tuple(plain["origins"]))
    return CopyMarks()


def write_marks(execute: Execute, marks: CopyMarks) -> None:
    """Replace what a database records of copies."""
    import json  # as above

    copied_to = marks.copied_to._asdict() if marks.copied_to else None
    execute(DELETE_META, (_NAME,))
    execute(SET_META, (_NAME, json.dumps(marks._asdict() | {"copied_to": copied_to}).encode()))


def require_not_copied(execute: Execute, place: str) -> None:
    """Require that a database was not copied to another one.

    Raises:
        ConnectionFailed: `store_unwritable`, it was.
    """
    copied_to = read_marks(execute).copied_to
    if copied_to:
        message = f"{place} was copied to {copied_to.place} at {copied_to.at}, and is only read from then on"
        hint = "name that state with --state (CONNFORM_STATE); a copy that was cut off: repeat `connform state copy`"
        raise ConnectionFailed("store_unwritable", message, hint)
