"""Programs in several languages reach their API by `exec --proxy`, and never have its credential."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.programs import Program, curl, go, java, node
from tests.proxy.running import execute
from tests.proxy.upstream import ROOT, checksum
from tests.repetitions import repeated

AT_ONCE = 100
SIZE = repeated(16 << 20, 1 << 30)
PROGRAMS: list[Program] = repeated([curl, node], [curl, node, java, go])
"""In the suite, the two that start fast; Java has a job of its own there."""


def ended(setting: Setting, argv: list[str]) -> Any:
    """Run a program to its end and return what it printed."""
    done = execute(setting.folder, argv)
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.mark.parametrize("program", [*PROGRAMS, *repeated([java], [])], ids=lambda program: program.__name__)
def test_a_program_asks_with_a_credential_that_it_does_not_have(setting: Setting, program: Program) -> None:
    assert ended(setting, program("plain", 0)) == {"statuses": [200, 200], "received": 11}
    assert setting.upstream.paths == [f"{ROOT}/packages/7?view=short", f"{ROOT}/packages/list"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_hundred_requests_are_on_their_way_at_once(setting: Setting, program: Program) -> None:
    assert ended(setting, program("many", AT_ONCE)) == {"statuses": [200] * AT_ONCE}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_large_bodies_arrive_whole_in_both_directions(setting: Setting, program: Program) -> None:
    assert ended(setting, program("down", SIZE)) == {"size": SIZE, "checksum": checksum(SIZE)}
    assert ended(setting, program("up", SIZE)) == {"size": SIZE}
