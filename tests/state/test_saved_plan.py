"""A saved plan is taken as it was written, or not at all: whatever it says is part of its digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from connform.database.state_table import StateTable
from connform.engine.changes.canonical import digest
from connform.engine.changes.plan import Action, Change, Plan
from connform.engine.changes.plan_file import PlanFile, plan_file_text, read_plan_file
from connform.engine.changes.specification import FieldChange
from connform.engine.load.selection import Selection
from connform.engine.run.shard import Shard
from connform.errors import PlanUnusable
from tests.database.conftest import grant

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
PLAN = Plan((MOVED, MOVED._replace(name="team-02", fields=(), live=())), (), ("a/1.yaml", "a/2.yaml"))
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


@pytest.mark.parametrize("key", [key for key in FRAME if key != "file_digest"])
def test_what_lacks_a_part_is_no_plan(tmp_path: Path, key: str) -> None:
    frame = {name: value for name, value in FRAME.items() if name not in {key, "file_digest"}}
    (tmp_path / "plan.json").write_text(json.dumps(frame | {"file_digest": digest(frame)}))
    with pytest.raises(PlanUnusable, match="no plan that this connform knows: see the top; make it anew"):
        read_plan_file(str(tmp_path / "plan.json"))


@pytest.mark.parametrize("text", ["[]", "1", '{"format_version": 1}', '{"format_version": "1.x"}'])
def test_other_json_is_no_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(PlanUnusable, match="is no plan that this connform knows"):
        read_plan_file(str(tmp_path / "plan.json"))


def sealed(**changes: Any) -> str:
    """Return a file of which somebody has changed parts and renewed the digest."""
    frame = {key: value for key, value in (FRAME | changes).items() if key != "file_digest"}
    return json.dumps(frame | {"file_digest": digest(frame)})


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "another digest": ({"digest": digest(3)}, "was altered after it was written"),
    "another action": ({"changes": [FRAME["changes"][0] | {"action": "burn"}]}, "see changes/0/action; make it anew"),
    "an old name that is none": (
        {"changes": [FRAME["changes"][0] | {"moved_from": 5}]},
        "see changes/0/moved_from; make",
    ),
    "a change of nothing": ({"changes": [{"moved_from": "old"}]}, "see changes/0; make it anew"),
    "a version that is none": ({"format_version": "1.x"}, "see format_version; make it anew"),
    "a part too little": ({"shard": {"number": 1}}, "see shard; make it anew"),
    "a shard of none": ({"shard": {"number": 1, "total": 0}}, "see shard/total; make it anew"),
    "files that are none": ({"files": [1]}, "see files/0; make it anew"),
    "a text instead of files": ({"files": "a.yaml"}, "see files; make it anew"),
    "a digest that is none": ({"digest": "sha256:x"}, "see digest; make it anew"),
    "nothing": ({}, ""),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_plan_that_was_made_up_is_refused(tmp_path: Path, case: str) -> None:
    changes, said = FORGED[case]
    (tmp_path / "plan.json").write_text(sealed(**changes))
    if not said:
        read_plan_file(str(tmp_path / "plan.json"))
        return
    with pytest.raises(PlanUnusable, match=said):
        read_plan_file(str(tmp_path / "plan.json"))


def test_a_saved_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    prose = MOVED._replace(name="team-00", fields=(FieldChange("/owner", "a", "b"),), live=(), moved_from="old")
    prose = prose._replace(revokes=grant("old").facts)
    plan = Plan((MOVED, prose), (), ("a.yaml",))
    selection, shard = Selection(("team-*",), ("x",), ("ci",), "origin/main"), Shard(2, 4)
    text = plan_file_text(plan, selection, shard)
    (tmp_path / "plan.json").write_text(text)
    assert text == plan_file_text(plan._replace(changes=(prose, MOVED)), selection, shard)
    assert [set(one) & {"moved_from", "revokes"} for one in json.loads(text)["changes"]] == [
        {"moved_from", "revokes"},
        set(),
    ]
    assert read_plan_file(str(tmp_path / "plan.json")) == PlanFile(
        plan.digest,
        ("a.yaml",),
        selection._replace(may_be_empty=True),
        shard,
        [
            ["team-00", "update", digest(1), digest(2), "moved_from old", f"revokes {prose.revokes}"],
            ["team-01", "update", digest(1), digest(2)],
        ],
        [["team-00", "update", digest(1), digest(1)], ["team-01", "update", digest(1), digest(2)]],
        frozenset({"team-01"}),
    )


def test_equal_plans_have_equal_bytes() -> None:
    texts = {
        plan_file_text(Plan((MOVED._replace(fields=(FieldChange("/tls", None, value),)),), ()), Selection(), Shard())
        for value in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    }
    assert len(texts) == 1


def test_where_a_grant_comes_from_is_part_of_the_steps() -> None:
    steps = [Plan((MOVED._replace(moved_from=name),), ()).digest for name in ("", "old", "other")]
    assert len(set(steps)) == 3


def test_what_a_later_version_adds_to_a_plan_is_part_of_its_digest() -> None:
    frame = dict(FRAME)
    assert frame.pop("file_digest") == digest(frame)
    assert frame["format_version"] == "1.2"
    assert set(frame) >= {"format_version", "digest", "files", "selection", "shard", "changes"}


def test_what_a_later_minor_version_adds_is_accepted(tmp_path: Path) -> None:
    frame = {**FRAME, "format_version": "1.9", "more": True, "shard": {**FRAME["shard"], "more": 1}}
    frame["changes"] = [{**change, "more": [1]} for change in FRAME["changes"]]
    del frame["file_digest"]
    (tmp_path / "plan.json").write_text(json.dumps({**frame, "file_digest": digest(frame)}))
    assert read_plan_file(str(tmp_path / "plan.json")).files == PLAN.files


@pytest.mark.parametrize(("version", "reason"), [("1.1", "an earlier connform"), ("2.0", "another connform")])
def test_a_plan_of_another_version_is_refused_by_its_version(tmp_path: Path, version: str, reason: str) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"format_version": version}))
    with pytest.raises(PlanUnusable, match=f"{reason} .format {version}.*make it anew"):
        read_plan_file(str(tmp_path / "plan.json"))


def test_a_plan_that_says_a_thing_twice_is_refused(tmp_path: Path) -> None:
    text = json.dumps(FRAME)
    (tmp_path / "plan.json").write_text('{"selection": null,' + text[1:])
    with pytest.raises(PlanUnusable, match="twice"):
        read_plan_file(str(tmp_path / "plan.json"))


@pytest.mark.parametrize(
    "text", [json.dumps(FRAME, indent=2), json.dumps(FRAME) + " " * 1_000_000], ids=["nice", "large"]
)
def test_a_plan_is_taken_in_another_layout(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    saved = read_plan_file(str(tmp_path / "plan.json"))
    assert (saved.digest, saved.live) == (PLAN.digest, frozenset({"team-01"}))
