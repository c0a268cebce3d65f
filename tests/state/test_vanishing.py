"""Records that others remove while a plan is drawn: reading takes no lock."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from connform.database.state_table import StateTable
from connform.engine.plan import plan
from connform.engine.run.shard import SINGLE_SHARD
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.recorded import RecordSummary
from tests.state.conftest import Repository
from tests.state.recording import record

NAMES = tuple(f"team-{number:03}" for number in range(48))
SHARDS = 6


def test_shards_that_remove_side_by_side_end_well(repository: Repository) -> None:
    repository.declare(*NAMES)
    record(repository.folder / "connections.yaml", state=repository.state)
    repository.remove(*NAMES[:36])
    assert repository.run("plan", "--out", "plan.json").code == 0
    running = [
        repository.start("apply", "--plan", "plan.json", "--force", "--shard", f"{number}/{SHARDS}")
        for number in range(1, SHARDS + 1)
    ]
    running += [repository.start("plan", "-f", ".") for _ in range(2)]
    ends = [(process.communicate(timeout=120), process.returncode) for process in running]
    assert [code for _, code in ends] == [0] * len(ends), ends
    assert repository.recorded().keys() == set(NAMES[36:])


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ("gone", {"changed": "update", "same": "none"}),
        ("changed", {"changed": "create", "same": "none", "gone": "remove"}),
        ("same", {"changed": "update", "same": "none", "gone": "remove"}),
    ],
)
def test_a_record_that_vanishes_while_a_plan_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, expected: dict[str, str], *, refresh: bool
) -> None:
    file = tmp_path / "connections.yaml"

    def declare(**owners: str) -> None:
        connection = {"environment": "private", "base_url": "https://localhost:1/x"}
        connections = {
            name: {**connection, "owner": owner, "auth": {"method": "api_key", "api_key": "env://UNSET"}}
            for name, owner in owners.items()
        }
        file.write_text(json.dumps({"version": 1, "connections": connections}))

    def marks_before_others_write(states: StateTable) -> dict[str, RecordSummary]:
        found = marks(states)
        with closing(StateOfRun(StateLocation(), [str(file)])) as others, others.locked(SINGLE_SHARD, 5) as held:
            next(iter(held.values())).write((), [lost])
        return found

    declare(changed="a", same="a", gone="a")
    record(file)
    declare(changed="b", same="a")
    marks = StateTable.summaries
    monkeypatch.setattr(StateTable, "summaries", marks_before_others_write)
    report = plan([str(file)], state=StateLocation(), refresh=refresh).report
    assert {one.name: one.action for one in report.connections} == expected
