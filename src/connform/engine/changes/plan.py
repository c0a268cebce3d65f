"""A plan: what `apply` would do about each connection, as data, with a digest.

Layer 3, no IO.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from connform.database.state_table import StateTable
from connform.engine.changes.canonical import digest
from connform.engine.changes.destination import Send
from connform.engine.changes.production import ProductionSecrets
from connform.engine.changes.sends import sends
from connform.engine.changes.specification import FieldChange
from connform.engine.connection_report import ConnectionReport
from connform.engine.run.describe import describe
from connform.engine.run.describe_record import describe_specification
from connform.grant import GrantFacts
from connform.lazy_property import lazy_property
from connform.manifest.model import Connection
from connform.recorded import Applied


class Action(StrEnum):
    """What `apply` would do about a connection."""

    CREATE = "create"
    """It was never applied successfully."""
    UPDATE = "update"
    """Its declaration differs from what was applied, or its last attempt failed."""
    MOVE = "move"
    """It is recorded under an old name that `moved:` renames to this one; its declaration may differ as well."""
    REMOVE = "remove"
    """It is recorded, and no longer declared."""
    NONE = "none"
    """Nothing differs."""


class _ChangeFields(NamedTuple):
    name: str
    """The connection's name."""
    action: Action
    """What is to be done."""
    before: str
    """The digest of the specification that was applied; empty if none was."""
    after: str
    """The digest of the declared specification; empty for a removal."""
    reasons: tuple[str, ...]
    """Reasons for the change besides the values that differ."""
    connection: Connection | None
    """The declared connection; `None` for a removal."""
    applied: Applied | None
    """What is recorded; `None` if nothing is, and if there is nothing to do."""
    table: StateTable
    """The state table where it is recorded, or will be."""
    spec: Mapping[str, Any]
    """The declared specification; empty for a removal."""
    fields: tuple[FieldChange, ...] = ()
    """The values that differ; empty for a creation and for a removal."""
    live: tuple[str, ...] = ()
    """What differs between the live check and the record (`--refresh`)."""
    live_report: ConnectionReport | None = None
    """The report of the live check, if nothing differs (`--refresh`)."""
    revocation_spec: Mapping[str, Any] = MappingProxyType({})
    """The specification with which the grant is ended: the applied one, with its stores as declared now. Empty if none ends."""
    moved_from: str = ""
    """The old name, under which its record or grant lies; empty if it isn't renamed."""
    is_only_moved: bool = False
    """Whether the connection is only renamed, and not checked."""
    revokes: GrantFacts | None = None
    """The living grant that would be ended; `None` if there is none."""


class Change(_ChangeFields):
    """The planned change of one connection."""

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do."""
        return self.action is not Action.NONE or bool(self.live)

    @property
    def effective_action(self) -> Action:
        """What is to be done, also about what only a live check found."""
        return Action.UPDATE if self.live else self.action

    @property
    def all_reasons(self) -> tuple[str, ...]:
        """All reasons for the change besides the values that differ."""
        return (*self.reasons, *self.live) if self.live else self.reasons

    @property
    def shown(self) -> tuple[str, str, str, str]:
        """Environment, region, auth method and address of the connection; a text is empty if there is none."""
        spec: Mapping[str, Any] = self.spec or self.applied.spec  # type: ignore[union-attr]  # one of them is there
        settings = self.connection.settings if self.connection else spec["settings"]
        return settings.get("environment", ""), settings.get("region", ""), settings["auth"]["method"], spec["base_url"]

    @lazy_property
    def sends(self) -> tuple[Send, ...]:
        """The secrets that it sends, with their destinations; none if there is nothing to do."""
        if not self.is_pending or (self.is_only_moved and not self.live):
            return ()
        ending = sends(self.revocation_spec) if self.revocation_spec else ()
        declared = sends(self.spec) if self.spec else ()
        return tuple(dict.fromkeys((*declared, *ending))) if declared and ending else declared or ending


Step = list[str]
"""The part of a change that a plan's digest covers: name, action, digest before, digest after. The old name and the grant
that ends follow, if there are any."""


def make_step(name: str, action: str, before: str, after: str, moved_from: str, revokes: str) -> Step:
    """Return the step of one change; `moved_from` and `revokes` are empty if there is none."""
    step = [name, action, before, after]
    if moved_from:
        step.append(f"moved_from {moved_from}")
    if revokes:
        step.append(f"revokes {revokes}")
    return step


class _PlanFields(NamedTuple):
    changes: tuple[Change, ...]
    """One for each declared connection, in the manifest's order, also if nothing differs; then the removals, by name."""
    all_steps: Sequence[Step]
    """The steps of all shards, for the safety rules, which use the first four fields of each. Where only harmless
    values differ, the digest after is the one before."""
    files: tuple[str, ...] = ()
    """The manifests, as paths in the repository, sorted."""
    other_repository: str = ""
    """As `StateOfRun.other_repository`."""
    is_by_name: bool = False
    """As `RecordedPaths.is_by_name`."""
    production_secrets: ProductionSecrets = ProductionSecrets()
    """The recorded destinations of secrets; empty if there is nothing to do."""


class Plan(_PlanFields):
    """What `apply` would do about the connections of a shard."""

    @lazy_property
    def pending(self) -> Sequence[Change]:
        """The changes for which there is something to do."""
        return [change for change in self.changes if change.is_pending]

    @property
    def steps(self) -> list[Step]:
        """The steps of the changes, by name. They don't contain results of live checks, because these vary."""
        return sorted(
            make_step(one.name, str(one.action), one.before, one.after, one.moved_from, str(one.revokes or ""))
            for one in self.changes
        )

    @property
    def digest(self) -> str:
        """The digest of `steps`."""
        return digest(self.steps)


def describe_change(change: Change) -> ConnectionReport:
    """Return the report line of a change."""
    planned = _planned(change)
    if change.live_report is not None:
        return change.live_report._replace(**planned)
    if change.connection is not None:
        return describe(change.connection, change.spec["base_url"], **planned)
    assert change.applied is not None  # noqa: S101  (a change without a declared connection is a removal)
    return describe_specification(change.name, change.applied.spec)._replace(**planned)


def with_plan(report: ConnectionReport, change: Change) -> ConnectionReport:
    """Return the report line of a connection with what was planned for it."""
    return report._replace(**_planned(change))


def _planned(change: Change) -> dict[str, Any]:
    """Return the fields of a report line that a plan fills."""
    return {
        "action": change.effective_action.value,
        "changes": change.fields,
        "reasons": change.all_reasons,
        "sends": change.sends,
        "moved_from": change.moved_from,
        "revokes": change.revokes,
    }
