"""Approval of a plan before `apply`: plan file, digest, safety rules, question to a person. Layer 3, no IO of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from connform.engine.changes.plan import Plan
from connform.engine.changes.plan_file import PlanFile
from connform.engine.changes.safety import refusals
from connform.engine.changes.stale_plan import require_same
from connform.engine.report import Report
from connform.engine.run.shard import SINGLE_SHARD, Shard
from connform.errors import Refused

_MAX_SHOWN = 20
"""How many reasons a message has room for."""


class Approval(NamedTuple):
    """How a plan is approved before it is applied."""

    saved: PlanFile | None = None
    """The plan file with the approved plan; `None` if there is none."""
    expect_digest: str = ""
    """The digest that the plan must have, in the plan file if there is one; empty for any."""
    force: bool = False
    """Whether to ignore the safety rules."""
    ask: Callable[[Report], bool] | None = None
    """Asks a person to confirm the plan; `None` if no question is needed."""


def require_approval(plan: Plan, approval: Approval, shard: Shard, report: Callable[[], Report]) -> None:
    """Require that a plan is approved; for a plan with nothing to do, only its plan file and digest are compared.

    Args:
        plan: the plan.
        approval: how the plan is approved.
        shard: the shard of the plan; a plan file may be for all shards.
        report: returns the plan as a report.

    Raises:
        Refused: the plan differs from the approved one, a safety rule forbids it, or a person doesn't confirm it.
    """
    if approval.expect_digest:
        found = approval.saved.digest if approval.saved else plan.digest
        if approval.expect_digest != found:
            message = f"the plan is not the one that was expected: its digest is {found}; manifest or state moved since"
            raise Refused(message)
    if approval.saved is not None:
        require_same(approval.saved, plan, shard)
    if not plan.pending:
        return
    all_steps = approval.saved.all_steps if approval.saved and approval.saved.shard == SINGLE_SHARD else plan.all_steps
    reasons = refusals(plan._replace(all_steps=all_steps))
    if reasons and not approval.force:
        more = (
            f"; and {len(reasons) - _MAX_SHOWN} more, which `connform plan` names" if len(reasons) > _MAX_SHOWN else ""
        )
        message = f"refused: {'; '.join(reasons[:_MAX_SHOWN])}{more}. Look at the plan, and give --force if that is what you want"
        raise Refused(message)
    if approval.ask is not None and not approval.ask(report()):
        raise Refused("nothing was applied: the question was not answered with yes")
