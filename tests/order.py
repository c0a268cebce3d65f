"""A plug-in of pytest that shares out the tests that may take longest: each process of a parallel run begins with some of them.

One that began last would run alone at the end, and so would the last of many that one process has. pytest-xdist gives each
process one portion of the tests, in their order, and later lets a process that has none left take over some of another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests with a longer time limit than others at the beginnings of the processes' portions."""
    processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
    usual_s = float(config.getini("timeout"))
    others = [item for item in items if _limit_s(item) <= usual_s]
    longest = sorted((item for item in items if _limit_s(item) > usual_s), key=_limit_s, reverse=True)
    items[:] = _in_portions(_shared_out(longest, processes), others)


def _limit_s(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


def _shared_out(tests: Sequence[pytest.Item], processes: int) -> list[list[pytest.Item]]:
    """Return the tests of each process: those of one folder stay together, for they share a built site, or wheels."""
    folders: dict[Path, list[pytest.Item]] = {}
    for test in tests:
        folders.setdefault(test.path.parent, []).append(test)
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for number, folder in enumerate(folders.values()):
        shares[number % processes] += folder
    return shares


def _in_portions(shares: Sequence[Sequence[pytest.Item]], others: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return all tests, so that each of equal portions begins with its share."""
    left = sum(map(len, shares)) + len(others)
    waiting = iter(others)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        portion = left // (len(shares) - number)
        left -= portion
        ordered += [*share, *islice(waiting, max(portion - len(share), 0))]
    return [*ordered, *waiting]
