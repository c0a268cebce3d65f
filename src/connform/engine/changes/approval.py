"""Approval of a plan before `apply`: plan file, digest, safety rules, question to a person. Layer 3, no IO of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from connform.engine.changes.plan_file import require_same
from connform.engine.changes.safety import refusals
from connform.engine.run.states import WHOLE
from connform.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from connform.engine.changes.plan import Plan
    from connform.engine.changes.plan_file import PlanFile
    from connform.engine.report import Report
    from connform.engine.run.states import Shard

_SHOWN: Final = 20
"""How many reasons a message has room for."""


class Approval(NamedTuple):
    """What a plan needs before it is carried out."""

    saved: PlanFile | None = None
    """The plan that was agreed on."""
    expect_digest: str = ""
    """Its digest, or empty for any."""
    force: bool = False
    """Whether the safety rules are set aside."""
    ask: Callable[[Report], bool] | None = None
    """Asks a person about a plan that nobody agreed on; `None`: the call itself is the consent."""


def require_approval(plan: Plan, consent: Approval, shard: Shard, report: Callable[[], Report]) -> None:
    """Let a plan pass that was agreed on; one with nothing to do needs no leave.

    Args:
        plan: what is to be done.
        consent: what was agreed on.
        shard: which part of the saved plan this is.
        report: returns the plan as a report.

    Raises:
        Refused: the plan is another one, a safety rule says no, or a person does.
    """
    if consent.saved is not None:
        require_same(consent.saved, plan, shard)
    if consent.expect_digest and consent.expect_digest != plan.digest:
        message = (
            f"the plan is not the one that was expected: its digest is {plan.digest}; manifest or state moved since"
        )
        raise Refused(message)
    if not plan.pending:
        return
    whole = consent.saved.steps if consent.saved and consent.saved.shard == WHOLE else plan.whole
    reasons = refusals(plan._replace(whole=whole))
    if reasons and not consent.force:
        more = f"; and {len(reasons) - _SHOWN} more, which `connform plan` names" if len(reasons) > _SHOWN else ""
        message = (
            f"refused: {'; '.join(reasons[:_SHOWN])}{more}. Look at the plan, and give --force if that is what you want"
        )
        raise Refused(message)
    if consent.ask is not None and not consent.ask(report()):
        message = "nothing was applied: the question was not answered with yes"
        raise Refused(message)
