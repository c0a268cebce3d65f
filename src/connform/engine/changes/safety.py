"""Turns a plan into the reasons for which a person should look at it first. Layer 3, no IO.

The thresholds are octoDNS's: a file that went missing or a template that went wrong changes too much at once. Production's
secrets are followed, not its connections: a name, a file and an environment are changed by whoever changes a host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.engine.changes.living_grants import reasons_for_force
from connform.engine.changes.origins import sends
from connform.engine.changes.plan import Action, sends_of
from connform.engine.changes.production import is_production
from connform.manifest.harmless import mask_generated_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from connform.engine.changes.origins import Destination
    from connform.engine.changes.plan import Change, Plan, Step
    from connform.engine.changes.production import ProductionSecrets

MIN_RECORDED: Final = 10
"""Below this many connections, any share is a few."""
MAX_SHARE: Final = 0.3
"""Of what is recorded, removed and changed together."""


def refusals(plan: Plan) -> tuple[str, ...]:
    """Return why a plan is not carried out without `--force`; nothing where it is."""
    return tuple(map(mask_generated_text, (*_too_much(plan.whole), *_production(plan), *reasons_for_force(plan))))


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
    """Yield what production's secrets would be sent to, and never were."""
    for change in plan.pending:
        reasons = _moved(change) if _was_production(change) else _spread(change, plan.known)
        yield from dict.fromkeys(reasons)


def _was_production(change: Change) -> bool:
    """Whether a change is one of a production connection that was applied with success."""
    return bool(change.before) and change.applied is not None and is_production(change.applied.spec)


def _moved(change: Change) -> Iterator[str]:
    """Yield what a production connection would send that it never sent: another secret, or to another origin."""
    assert change.applied is not None  # noqa: S101  (as `_was_production` says)
    if change.connection is not None and not is_production(change.spec):
        where = change.spec["settings"].get("environment", "") or "no environment"
        sent_there = _listed(f"{send.secret} → {_anywhere(send.to)}" for send in sends_of(change))
        yield f"{change.name} is in production and would move to {where}: {sent_there}"
    before = [(send, _anywhere(send.to)) for send in sends(change.applied.spec)]
    for send in sends_of(change):
        to = _anywhere(send.to)
        same = [old for old, _ in before if send.place.is_in(old.place)]
        if any(to == origin for old, origin in before if old in same):
            continue
        recorded = _listed(str(old.to) for old in same) or _listed(f"{old.secret} → {old.to}" for old, _ in before)
        yield f"{change.name} is in production and would send {send.secret} to {to}; recorded for it: {recorded}"


def _spread(change: Change, known: ProductionSecrets) -> Iterator[str]:
    """Yield what another connection would send of production's secrets to an origin that isn't recorded for them."""
    for send in sends_of(change):
        user = known.user(send.place)
        origins = known.origins(send.place) if user else ()
        is_there = _anywhere(send.to) in map(_anywhere, origins)
        if not user or send.to in origins or (is_there and is_production(change.spec)):
            continue
        whose = f"a secret of production ({user})"
        if is_there:
            yield f"{change.name} is not in production and would send {send.secret}, {whose}, to {send.to}"
        else:
            recorded = _listed(map(str, origins)) or "a part of it alone"
            yield f"{change.name} would send {send.secret}, {whose}, to {send.to}; recorded for it: {recorded}"


def _anywhere(origin: Destination) -> Destination:
    """Return an origin without the environment of the connection that it serves."""
    return origin._replace(environment="")


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))
