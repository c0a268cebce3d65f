"""A saved plan is taken as it was written, or not at all: whatever it says is part of its digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from connform.database.state_table import StateTable
from connform.engine.changes.plan import Action, Change, Plan
from connform.engine.changes.plan_file import plan_file_text, read_plan_file
from connform.engine.changes.specification import FieldChange, digest
from connform.engine.load.selection import Selection
from connform.engine.run.states import Shard
from connform.errors import PlanUnusable

MOVED = Change(
    name="team-01",
    action=Action.UPDATE,
    before=digest(1),
    after=digest(2),
    reasons=("the last attempt failed: auth_rejected",),
    connection=None,
    applied=None,
    table=cast("StateTable", None),  # nothing is read or recorded here
    spec={},
    fields=(FieldChange("/base_url", "https://a.example", {"deep": [1, None]}),),
    live=("the secret was rotated",),
)
PLAN = Plan((MOVED, MOVED._replace(name="team-02", fields=(), live=())), ())
FRAME: dict[str, Any] = json.loads(
    plan_file_text(PLAN, Selection(("team-*",), ("x",), ("ci",), "origin/main"), Shard(2, 4))
)


def leaves(node: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of everything in a frame that can be changed: values, and lists and objects as a whole."""
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(inner, *path, key)


PATHS = [path for path in leaves(FRAME) if path[0] != "file_digest"]


def changed(path: tuple[str | int, ...]) -> str:
    """Return the file with another value at a path, of the kind that was there."""
    frame = json.loads(json.dumps(FRAME))
    *parents, last = path
    node = frame
    for step in parents:
        node = node[step]
    value = node[last]
    if isinstance(value, str):
        node[last] = digest(3) if value.startswith("sha256:") else f"{value}0"
    else:
        node[last] = {int: 3, list: [] if value else ["there"], dict: {}, type(None): "there"}[type(value)]
    return json.dumps(frame)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: "/".join(map(str, path)))
def test_whatever_is_changed_in_a_saved_plan_is_noticed(tmp_path: Path, path: tuple[str | int, ...]) -> None:
    (tmp_path / "plan.json").write_text(changed(path))
    with pytest.raises(PlanUnusable):
        read_plan_file(str(tmp_path / "plan.json"))


def test_what_a_later_version_adds_to_a_plan_is_part_of_its_digest() -> None:
    frame = dict(FRAME)
    assert frame.pop("file_digest") == digest(frame)
    assert set(frame) >= {"format_version", "digest", "selection", "shard", "changes"}


def test_a_plan_that_says_a_thing_twice_is_refused(tmp_path: Path) -> None:
    text = json.dumps(FRAME)
    (tmp_path / "plan.json").write_text('{"selection": null,' + text[1:])
    with pytest.raises(PlanUnusable, match="twice"):
        read_plan_file(str(tmp_path / "plan.json"))


def test_a_plan_is_taken_in_another_layout(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(FRAME, indent=2))
    saved = read_plan_file(str(tmp_path / "plan.json"))
    assert (saved.digest, saved.live) == (PLAN.digest, frozenset({"team-01"}))
