"""Grants that a plan would end, and removals that are probably renames: reasons for `--force`.

Layer 3; no IO, but reads the clock. A grant is a person's consent: after it is revoked, only that person can give it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connform.auth.oauth.freshness import is_fresh
from connform.engine.changes.definition_part import recorded_definition
from connform.engine.load.catalog import has_grant, uses_grant
from connform.grant import GrantFacts
from connform.manifest.model import Connection
from connform.recorded import Applied

if TYPE_CHECKING:
    from connform.engine.changes.plan import Plan, Step

_CREATE, _REMOVE = "create", "remove"
_MAX_SHOWN = 5
"""How many names a suggestion shows."""


def living_grant(facts: GrantFacts | None) -> GrantFacts | None:
    """Return the facts of a grant that still gives access; `None` for an ended grant, and for `None`."""
    if facts is None or facts.ended:
        return None
    return facts if facts.is_renewable or is_fresh(facts, datetime.now(UTC)) else None


def leaves_grant(applied: Applied | None, connection: Connection) -> bool:
    """Whether a connection was applied with OAuth, and is declared without it now."""
    return (
        applied is not None
        and uses_grant(applied.spec["settings"], recorded_definition(applied.spec))
        and not has_grant(connection)
    )


def reasons_for_force(plan: Plan) -> Iterator[str]:
    """Yield a message for each living grant that a plan would end: a reason to refuse it without `--force`."""
    ending = [change for change in plan.changes if change.revokes is not None]
    suggestions = probable_renames(plan.all_steps) if ending else {}
    for change in ending:
        name = change.name
        suggestion = f"{name} is declared without OAuth now"
        if change.connection is None:
            suggestion = (
                suggestions.get(name)
                or f"where it was renamed, write `moved: {{{name}: NEW}}`, and the grant moves along"
            )
        yield f"it would revoke {change.revokes}: {suggestion}"


def probable_renames(steps: Sequence[Step]) -> Mapping[str, str]:
    """Return a suggestion to use `moved:`, by name, for each removal whose specification is created under another name."""
    created: dict[str, list[str]] = {}
    removed: dict[str, list[str]] = {}
    for name, action, before, after, *_ in steps:
        if action == _CREATE:
            created.setdefault(after, []).append(name)
        elif action == _REMOVE and before:
            removed.setdefault(before, []).append(name)
    return {
        name: _suggestion(name, created[digest], is_only=len(names) == 1)
        for digest, names in removed.items()
        if digest in created
        for name in names
    }


def _suggestion(old: str, names: Sequence[str], *, is_only: bool) -> str:
    if len(names) == 1 and is_only:
        line = f"`moved: {{{old}: {names[0]}}}`"
        return f"{names[0]} is created with the same specification: where that is its new name, write {line}"
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    which = ", ".join(names[:_MAX_SHOWN]) + more
    return (
        f"the same specification is created ({which}): where one of them is its new name, write `moved: {{{old}: NEW}}`"
    )
