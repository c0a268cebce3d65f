"""A plan: what `apply` would do about each connection, as data, with a digest.

Layer 3, no IO.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.engine.changes.living_grants import describe_grant
from connform.engine.changes.origins import sends
from connform.engine.changes.production import ProductionSecrets
from connform.engine.changes.specification import digest
from connform.engine.run.describe import describe
from connform.engine.run.describe_record import describe_specification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connform.database.state_table import StateTable
    from connform.engine.changes.origins import Send
    from connform.engine.changes.specification import FieldChange
    from connform.engine.report import ConnectionReport
    from connform.grant import GrantFacts
    from connform.manifest.model import Connection
    from connform.recorded import Applied


class Action(StrEnum):
    """What is to be done about a connection."""

    CREATE = "create"
    """Never applied with success."""
    UPDATE = "update"
    """Declared otherwise than it was applied, or to be tried again."""
    MOVE = "move"
    """Recorded under another name, from which `moved:` leads to this one; perhaps declared otherwise as well."""
    REMOVE = "remove"
    """Applied, and no longer declared."""
    NONE = "none"


class Change(NamedTuple):
    """What a plan says of one connection."""

    name: str
    """The connection."""
    action: Action
    """What is to be done."""
    before: str
    """The digest of what was applied; empty where nothing was."""
    after: str
    """The digest of what is declared; empty where nothing is."""
    reasons: tuple[str, ...]
    """Why, beyond the values that differ."""
    connection: Connection | None
    """What is declared."""
    applied: Applied | None
    """What is recorded; `None` as well where there is nothing to do."""
    states: StateTable
    """Where that is, or will be."""
    spec: Mapping[str, Any]
    """What is declared, as plain data; empty for a removal."""
    fields: tuple[FieldChange, ...] = ()
    """What differs, value by value; nothing for what is created or removed as a whole."""
    live: tuple[str, ...] = ()
    """What the live side says otherwise than recorded (`--refresh`)."""
    seen: ConnectionReport | None = None
    """What the live side answered, where nothing of it is a change (`--refresh`)."""
    ending: Mapping[str, Any] = MappingProxyType({})
    """The specification by which a grant is ended: that of then, with the stores of now; empty where there is none to end."""
    moved_from: str = ""
    """The name under which it is recorded now, or its grant is kept."""
    is_only_moved: bool = False
    """Whether nothing is to be tried once it has its new name."""
    revokes: GrantFacts | None = None
    """The grant that lives and would be ended."""

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do."""
        return self.action is not Action.NONE or bool(self.live)


Step = list[str]
"""A connection's name, its action, and the digests before and after; then the name that it had, and the grant that ends, where
there is one of them."""


def step(name: str, action: str, before: str, after: str, moved_from: str, revokes: str) -> Step:
    """Return what binds one change to its apply."""
    more = {"moved_from": moved_from, "revokes": revokes}
    return [name, action, before, after, *(f"{key} {text}" for key, text in more.items() if text)]


class Plan(NamedTuple):
    """What `apply` would do."""

    changes: tuple[Change, ...]
    """In the manifest's order, those without a change included; then what is removed, by name."""
    whole: Sequence[Step]
    """The steps of all shards: what the plan is judged by."""
    known: ProductionSecrets = ProductionSecrets()
    """What is recorded of production's secrets; nothing where there is nothing to do."""

    @property
    def pending(self) -> list[Change]:
        """What is to be done."""
        return [change for change in self.changes if change.is_pending]

    @property
    def steps(self) -> list[Step]:
        """What binds a plan to its apply: of each connection what `step` says. No live facts: they change."""
        return [
            step(
                one.name,
                str(one.action),
                one.before,
                one.after,
                one.moved_from,
                describe_grant(one.revokes) if one.revokes else "",
            )
            for one in self.changes
        ]

    @property
    def digest(self) -> str:
        """The digest of `steps`."""
        return digest(self.steps)


def sends_of(change: Change) -> tuple[Send, ...]:
    """Return what a change sends where when it is carried out; nothing where there is nothing to do."""
    if not change.is_pending or (change.is_only_moved and not change.live):
        return ()
    specs = [spec for spec in (change.spec, change.ending) if spec]
    return tuple(dict.fromkeys(send for spec in specs for send in sends(spec)))


def describe_change(change: Change) -> ConnectionReport:
    """Return a change as a line of a report."""
    action = str(Action.UPDATE if change.live else change.action)
    changes, reasons = change.fields, (*change.reasons, *change.live)
    if change.seen is None and change.connection is not None:
        line = describe(change.connection, change.spec["base_url"])
    elif change.seen is None:
        assert change.applied is not None  # noqa: S101  (what isn't declared is recorded)
        line = describe_specification(change.name, change.applied.spec)
    else:
        line = change.seen
    return line._replace(
        action=action,
        changes=changes,
        reasons=reasons,
        sends=sends_of(change),
        moved_from=change.moved_from,
        revokes=change.revokes,
    )
