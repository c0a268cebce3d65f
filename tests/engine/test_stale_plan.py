"""A saved plan that the manifests or the state have left behind: it is refused, and what became of each connection is said."""

from __future__ import annotations

import re

import pytest

from connform.engine.changes.plan import Action, Change, Plan
from connform.engine.changes.plan_file import PlanFile
from connform.engine.changes.stale_plan import require_same
from connform.engine.load.selection import EVERYTHING
from connform.engine.run.shard import SINGLE_SHARD, Shard
from connform.errors import Refused
from tests.engine.test_refusals import CHANGE


def saved(*changes: Change, files: tuple[str, ...] = ()) -> PlanFile:
    return PlanFile("", files, EVERYTHING, SINGLE_SHARD, Plan(changes, ()).steps, [], frozenset())


REMOVAL = CHANGE._replace(action=Action.REMOVE, after="")
STALE: list[tuple[Change | None, Change | None, str]] = [
    (None, CHANGE, "was not part of it"),
    (CHANGE, None, "is no longer part of it"),
    (CHANGE, REMOVAL, "is now to be removed"),
    (CHANGE, CHANGE._replace(after="another"), "is declared otherwise now"),
    (CHANGE, CHANGE._replace(before="another"), "was applied meanwhile"),
    (REMOVAL, REMOVAL._replace(before="another"), "was applied meanwhile"),
    (CHANGE, CHANGE._replace(action=Action.NONE), "was planned as update and is none now"),
    (CHANGE, CHANGE._replace(moved_from="old"), "now moved_from old"),
    (CHANGE._replace(moved_from="old"), CHANGE, "now moves from no other name and ends no grant"),
]


@pytest.mark.parametrize(("before", "now", "said"), STALE)
def test_what_has_changed_since_a_plan_was_written_is_said(
    before: Change | None, now: Change | None, said: str
) -> None:
    other = CHANGE._replace(name="other")
    with pytest.raises(Refused, match=f"^the plan is stale, since shop {re.escape(said)}: run"):
        require_same(saved(*filter(None, [before]), other), Plan((*filter(None, [now]), other), ()), SINGLE_SHARD)


def test_the_plan_of_now_is_carried_out() -> None:
    removal = REMOVAL._replace(name="gone")
    require_same(saved(CHANGE, removal), Plan((CHANGE, removal), ()), SINGLE_SHARD)
    others = [CHANGE._replace(name=f"team-{number}") for number in range(9)]
    here = [one for one in others if Shard(1, 2).has(one.name)]
    assert 0 < len(here) < len(others)
    require_same(saved(*others), Plan(tuple(here), ()), Shard(1, 2))


@pytest.mark.parametrize(("count", "more"), [(5, ""), (7, " and 2 more")])
def test_of_many_connections_five_are_named(count: int, more: str) -> None:
    changes = [CHANGE._replace(name=f"team-{number}") for number in reversed(range(count))]
    named = ", ".join(f"team-{number} is no longer part of it" for number in range(5))
    with pytest.raises(Refused, match=f"^the plan is stale, since {named}{more}: "):
        require_same(saved(*changes), Plan((), ()), SINGLE_SHARD)


@pytest.mark.parametrize(("count", "more"), [(5, ""), (7, " …")])
def test_a_plan_over_other_manifests_says_which(count: int, more: str) -> None:
    files = tuple(f"{number}.yaml" for number in range(count))
    named = " ".join(f"-f {number}.yaml" for number in range(5))
    with pytest.raises(Refused, match=f"give `{named}{more}` .*This run has `-f 'a b.yaml'`$"):
        require_same(saved(files=files), Plan((), (), ("a b.yaml",)), SINGLE_SHARD)
