"""Each process of a parallel run begins with other tests of those that may take longest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from xdist.scheduler import WorkStealingScheduling

from tests.order import pytest_collection_modifyitems


class Item(NamedTuple):
    """A test as far as its place depends on it."""

    path: Path
    limit_s: float = 0.0

    def get_closest_marker(self, _name: str) -> object:
        return SimpleNamespace(args=[self.limit_s]) if self.limit_s else None


class Process:
    """A process, which notes what it is to run."""

    shutting_down = False
    gateway = SimpleNamespace(id="")

    def __init__(self) -> None:
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None: ...


SITE = [Item(Path(f"site/test_{number}.py"), 300.0) for number in range(3)]
CI = [Item(Path("ci/test_it.py"), 110.0)] * 2
FUZZ = [Item(Path("fuzz/test_it.py"), 110.0)]
TRACEBACKS = [Item(Path("tracebacks/test_it.py"), 110.0)]
SHORTER = [Item(Path("database/test_it.py"), 10.0)]
OTHERS = [Item(Path(f"state/test_{number}.py")) for number in range(30)]


def portions(items: list[Item], processes: int) -> list[list[Item]]:
    """Return what pytest-xdist lets each process begin with."""
    given: Any = items
    config: Any = SimpleNamespace(
        workerinput={"workercount": processes}, getini=lambda _: "60", getvalue=lambda _: [f"{processes}*popen"]
    )
    pytest_collection_modifyitems(config, given)
    scheduling = WorkStealingScheduling(config)
    nodes: list[Any] = [Process() for _ in range(processes)]
    for node in nodes:
        scheduling.add_node(node)
        scheduling.add_node_collection(node, [str(number) for number in range(len(items))])
    scheduling.schedule()
    return [[items[index] for index in node.given] for node in nodes]


def test_each_process_begins_with_the_longest_of_other_folders() -> None:
    first, second, third = portions([*OTHERS, *CI, *SHORTER, *FUZZ, *SITE, *TRACEBACKS], 3)
    assert (first[:4], second[:2], third[:1]) == ([*SITE, *TRACEBACKS], CI, FUZZ)
    assert [*first[4:], *second[2:], *third[1:]] == [*OTHERS, *SHORTER]


@pytest.mark.parametrize("chosen", [[*OTHERS, *SITE, *FUZZ], [*CI, *FUZZ], SITE, OTHERS, []])
def test_each_test_is_run_once_whatever_is_chosen(chosen: list[Item]) -> None:
    for processes in (1, 2, 7):
        run = [item for portion in portions(list(chosen), processes) for item in portion]
        assert sorted(run) == sorted(chosen)
