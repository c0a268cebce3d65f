"""Comparison of a saved plan with the plan of now: a saved plan is carried out only if both are the same.

Layer 3, no IO.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from connform.engine.changes.plan import Action, Plan, Step
from connform.engine.changes.plan_file import PlanFile
from connform.engine.run.shard import Shard
from connform.errors import Refused

_MAX_SHOWN = 5
"""How many connections a message names."""
_NO_STEP: Step = ["", "", "", ""]


def require_same(plan_file: PlanFile, plan: Plan, shard: Shard) -> None:
    """Require that a plan does the same as a plan file, for the connections of a shard.

    A connection to which nothing is done in either may have been declared and applied otherwise meanwhile: so changes of other
    connections, merged and applied in between, make no plan stale.

    Raises:
        Refused: it was made over other manifests; or what it does has changed, since they or the recorded state have.
    """
    if plan_file.files != plan.files:
        message = f"the plan is about other manifests than this run: give `{_arguments(plan_file.files)}`"
        raise Refused(f"{message} (paths in the repository), or plan again. This run has `{_arguments(plan.files)}`")
    before = {step[0]: step for step in plan_file.steps if shard.has(step[0])}
    now = {step[0]: step for step in plan.steps}
    names = sorted(
        name
        for name in {**before, **now}
        if before.get(name) != now.get(name)
        and (name in plan_file.live or _does_something(before.get(name)) or _does_something(now.get(name)))
    )
    if names:
        moved = [f"{name} {_what_moved(before.get(name, _NO_STEP), now.get(name, _NO_STEP))}" for name in names]
        more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
        message = f"the plan is stale, since {', '.join(moved[:_MAX_SHOWN])}{more}"
        raise Refused(f"{message}: run `connform plan --out FILE` again, and look at what it says now")


def _does_something(step: Step | None) -> bool:
    return step is not None and step[1] != Action.NONE


def _arguments(files: Sequence[str]) -> str:
    more = " …" if len(files) > _MAX_SHOWN else ""
    return " ".join(f"-f {shlex.quote(file)}" for file in files[:_MAX_SHOWN]) + more


def _what_moved(before: Step, now: Step) -> str:
    """Return what became of a connection since a plan was written."""
    (_, action, recorded, declared, *_), (_, action_now, recorded_now, declared_now, *rest_now) = before, now
    reasons = {
        "was not part of it": not action,
        "is no longer part of it": not action_now,
        "is now to be removed": bool(declared and not declared_now),
        "is declared otherwise now": declared != declared_now,
        "was applied meanwhile": recorded != recorded_now,
        f"was planned as {action} and is {action_now} now": action != action_now,
    }
    other = f"now {' and '.join(rest_now) or 'moves from no other name and ends no grant'}"
    return next((reason for reason, is_so in reasons.items() if is_so), other)
