"""The changes of a brief report, each once with all connections that have it. Layer 4, no IO.

What `equal_changes.py` makes of the views of connections, this makes of the plan itself: thousands of changes need no views.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from connform.manifest.harmless import mask_generated_text, may_be_masked
from connform.reporters.connection_fields import CHANGE, REVOKED
from connform.reporters.equal_changes import EqualChange
from connform.reporters.text_connection import format_name
from connform.reporters.view import View

if TYPE_CHECKING:
    from connform.engine.changes.destination import Destination
    from connform.engine.changes.plan import Change

_BY_ADDRESS = frozenset({"create", "remove"})
"""Only connections with the same environment, address and method are created, or removed, together."""


def brief_changes(changes: Iterable[Change]) -> list[EqualChange]:
    """Return each change once, in the order of the first connection that has it."""
    groups: dict[tuple[Any, ...], list[Change]] = {}
    known: dict[tuple[Any, ...], list[Change]] = {}  # by what is planned, not by what is shown of it
    for change in changes:
        action = change.effective_action
        planned = (
            action,
            change.shown if action in _BY_ADDRESS else None,
            change.all_reasons,
            repr(change.fields) if change.fields else "",
            repr(change.revokes) if change.revokes else "",
        )
        group = known.get(planned)
        if group is None:
            group = known[planned] = groups.setdefault(_what_is_shown(change), [])
        group.append(change)
    return [_equal_change(shown, group) for shown, group in groups.items()]


def _what_is_shown(change: Change) -> tuple[Any, ...]:
    action = change.effective_action
    address = _masked(change.shown) if action in _BY_ADDRESS else None
    values = repr(list(map(CHANGE.view, change.fields))) if change.fields else ""
    return str(action), address, change.all_reasons, values, repr(_revoked(change)) if change.revokes else ""


def _equal_change(shown: tuple[Any, ...], group: list[Change]) -> EqualChange:
    action, address, reasons, *_ = shown
    first = group[0]
    return EqualChange(
        action,
        [format_name(one.name, one.moved_from) for one in group],
        address or _common(group),
        list(map(CHANGE.view, first.fields)) if first.fields else [],
        list(reasons),
        _revoked(first),
        partial(_merged_sends, group),
    )


def _revoked(change: Change) -> View | None:
    return REVOKED.view(change.revokes) if change.revokes else None


def _masked(shown: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    environment, region, method, address = shown
    return mask_generated_text(environment), region, method, mask_generated_text(address)


def _common(group: list[Change]) -> tuple[str, ...]:
    """Return what is shown of all connections of a group; an empty text for what isn't the same of all."""
    every = list(map(_masked, dict.fromkeys(one.shown for one in group)))
    return tuple(column[0] if len(set(column)) == 1 else "" for column in zip(*every, strict=True))


def _merged_sends(group: list[Change]) -> list[tuple[list[str], str]]:
    """Return each destination of a group's secrets once, behind the secrets that are sent there."""
    found = _merged_as_shown(group, str)
    texts = "\n".join([text for secrets, to in found for text in (*secrets, to)])
    return _merged_as_shown(group, mask_generated_text) if may_be_masked(texts) else found


def _merged_as_shown(group: list[Change], shown: Callable[[str], str]) -> list[tuple[list[str], str]]:
    destinations: dict[str, dict[str, None]] = {}
    known: dict[Destination, dict[str, None]] = {}
    for change in group:
        for secret, _, to in change.sends:
            secrets = known.get(to)
            if secrets is None:
                secrets = known[to] = destinations.setdefault(to.text(shown), {})
            secrets[shown(secret)] = None
    return [(list(secrets), to) for to, secrets in destinations.items()]
