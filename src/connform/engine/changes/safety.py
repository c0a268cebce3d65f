"""Safety rules: the reasons why `apply` refuses a plan without `--force`. Layer 3, no IO.

The thresholds are octoDNS's: a missing file or a wrong template changes many connections at once. The rules for production
follow its secrets and not its connections, because whoever changes a host can change a name, a file or an environment too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from connform.engine.changes.definition_part import DEFINITION
from connform.engine.changes.living_grants import reasons_for_force
from connform.engine.changes.plan import Action, Change, Plan, Step
from connform.engine.changes.production import ProductionSecrets, is_production
from connform.engine.changes.sends import sends
from connform.engine.changes.specification import is_sent_alike
from connform.manifest.harmless import mask_generated_text
from connform.providers.environments import TEST

MIN_RECORDED = 10
"""With fewer recorded connections than this, the rule on the share doesn't apply."""
_MAX_SHOWN = 5
"""How many names, or recorded destinations, a reason shows."""
MAX_SHARE = 0.3
"""The largest permitted share of recorded connections that are removed or changed."""


def refusals(plan: Plan) -> tuple[str, ...]:
    """Return why a plan is not applied without `--force`; empty if it is."""
    return tuple(
        map(
            mask_generated_text,
            (
                *_too_large_share(plan.all_steps),
                *_other_repository(plan),
                *_removals_by_name(plan),
                *_production_reasons(plan),
                *reasons_for_force(plan),
            ),
        )
    )


def _too_large_share(steps: Sequence[Step]) -> Iterator[str]:
    """Yield a reason if too large a share of the recorded connections is removed or changed.

    The share is that of all shards together, because each of them alone may change only a few. A connection that only
    moves to another file, or is only tried again, doesn't count as changed.
    """
    recorded = [step for step in steps if step[1] != Action.CREATE]
    changed = [step for step in recorded if step[2] != step[3]]
    if len(recorded) >= MIN_RECORDED and len(changed) > MAX_SHARE * len(recorded):
        share = f"{len(changed)} of {len(recorded)} recorded connections"
        yield f"it removes or changes {share}, more than {MAX_SHARE:.0%}"


def _other_repository(plan: Plan) -> Iterator[str]:
    """Yield a reason if the database belongs to another repository, whose manifests may have the same paths."""
    if plan.other_repository:
        yield (
            f"the database belongs to another repository, {plan.other_repository}: give this one a database or a schema of its "
            "own; repositories that share one have the same --repository (CONNFORM_REPOSITORY)"
        )


def _removals_by_name(plan: Plan) -> Iterator[str]:
    """Yield a reason if a plan removes what another folder may declare: outside of a repository, manifests of one name are one."""
    removed = [change.name for change in plan.changes if change.action is Action.REMOVE]
    if removed and plan.is_by_name:
        more = f" and {len(removed) - _MAX_SHOWN} more" if len(removed) > _MAX_SHOWN else ""
        yield (
            f"it removes {_comma_separated(removed[:_MAX_SHOWN])}{more} of a database that others may use, and the manifests lie in no repository, "
            "so that another folder may declare that: name its top by --root (CONNFORM_ROOT)"
        )


def _production_reasons(plan: Plan) -> Iterator[str]:
    """Yield the secrets of production that a plan would send to destinations that are not recorded for them."""
    for change in plan.pending:
        if change.before and change.applied and is_sent_alike(change.applied.spec, change.spec):
            continue  # all of it is recorded
        if _was_production(change):
            yield from dict.fromkeys(_new_destinations(change))
        elif not plan.production_secrets.is_empty:
            yield from dict.fromkeys(_spread_secrets(change, plan.production_secrets))


def _was_production(change: Change) -> bool:
    """Whether a change concerns a production connection that was applied successfully."""
    return bool(change.before) and change.applied is not None and is_production(change.applied.spec)


def _new_destinations(change: Change) -> Iterator[str]:
    """Yield what a production connection would send that isn't recorded: another secret, or another destination."""
    assert change.applied is not None  # noqa: S101  (as `_was_production` says)
    if change.connection is not None and not is_production(change.spec):
        sent_there = _comma_separated(f"{send.secret} → {send.to}" for send in change.sends)
        yield f"{change.name} is in production and would move to {TEST}: {sent_there}"
    if change.connection is not None and _own_root(change.spec) != _own_root(change.applied.spec):
        allowed = _own_root(change.spec) or "never"
        yield f"{change.name} is in production and its provider would let connections name the API root: {allowed} (own_root)"
    before = [(send, send.to.without_class) for send in sends(change.applied.spec)]
    for send in change.sends:
        to = send.to.without_class
        same = [old for old, _ in before if send.identity.is_part_of(old.identity)]
        if any(to == origin for old, origin in before if old in same):
            continue
        recorded = _comma_separated(str(old.to) for old in same) or _comma_separated(
            f"{old.secret} → {old.to}" for old, _ in before
        )
        yield f"{change.name} is in production and would send {send.secret} to {to}; recorded for it: {recorded}"


def _spread_secrets(change: Change, production_secrets: ProductionSecrets) -> Iterator[str]:
    """Yield the secrets of production that another connection would send to a destination not recorded for them."""
    for send in change.sends:
        user = production_secrets.user(send.identity)
        destinations = production_secrets.destinations(send.identity) if user else {}
        classes = destinations.get(send.to.without_class, ())
        if not user or send.to.environment_class in classes or (classes and is_production(change.spec)):
            continue
        whose = f"a secret of production ({user})"
        if classes:
            yield f"{change.name} is not in production and would send {send.secret}, {whose}, to {send.to}"
        else:
            recorded = ", ".join(map(str, islice(destinations, _MAX_SHOWN))) or "a part of it alone"
            recorded += f" and {len(destinations) - _MAX_SHOWN} more" if len(destinations) > _MAX_SHOWN else ""
            yield f"{change.name} would send {send.secret}, {whose}, to {send.to}; recorded for it: {recorded}"


def _own_root(spec: Mapping[str, Any]) -> str:
    environments = spec.get(DEFINITION, {}).get("environments", {})
    return "".join(environment.get("own_root", "") for environment in environments.values())


def _comma_separated(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))
