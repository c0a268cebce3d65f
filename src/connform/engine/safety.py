"""Turns a plan into the reasons for which a person should look at it first. Layer 3, no IO.

The thresholds are octoDNS's: a file that went missing or a template that went wrong changes too much at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from connform.auth.oauth2 import SERVER_URLS
from connform.engine.planning import Action
from connform.engine.revocations import reasons_for_force

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connform.engine.planning import Plan, Step

MIN_RECORDED: Final = 10
"""Below this many connections, any share is a few."""
MAX_SHARE: Final = 0.3
"""Of what is recorded, removed and changed together."""
PRODUCTION: Final = "production"
_OWN: Final = "the provider's own"


def refusals(plan: Plan) -> tuple[str, ...]:
    """Return why a plan is not carried out without `--force`; nothing where it is."""
    return (*_too_much(plan.whole), *_production(plan), *reasons_for_force(plan))


def _too_much(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the share that is touched of what is recorded, where it is too much.

    A shard is judged by the steps of all: each of them alone may change a few only. What merely moves to another file,
    or is tried again, is not changed.
    """
    recorded = [step for step in steps if step[1] != Action.CREATE]
    touched = [step for step in recorded if step[2] != step[3]]
    if len(recorded) >= MIN_RECORDED and len(touched) > MAX_SHARE * len(recorded):
        share = f"{len(touched)} of {len(recorded)} recorded connections"
        yield f"it removes or changes {share}, more than {MAX_SHARE:.0%}"


def _production(plan: Plan) -> Iterator[str]:
    for change in plan.changes:
        if change.action not in {Action.UPDATE, Action.MOVE} or change.applied is None:
            continue
        before, after = change.applied.spec, change.spec
        if before["settings"].get("environment") != PRODUCTION:
            continue
        environment = after["settings"].get("environment", "")
        if environment != PRODUCTION:
            yield f"{change.name} is in production and would move to {environment or 'no environment'}"
        for what, old, new in _servers(before, after):
            if (there := urlsplit(old).netloc) != (here := urlsplit(new).netloc):
                places = f"from {there or _OWN} to {here or _OWN}"
                yield f"{change.name} is in production and {what}would move {places}"


def _servers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what names another server than it did, and both URLs: the API, and those that a client's secret is sent to."""
    if before["base_url"] != after["base_url"]:
        yield "", before["base_url"], after["base_url"]
    old, new = before["settings"]["auth"], after["settings"]["auth"]
    for key in SERVER_URLS:
        if old.get(key) != new.get(key):
            yield f"its {key} ", old.get(key, ""), new.get(key, "")
