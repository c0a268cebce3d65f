"""Programs in several languages reach their API by `exec --proxy`, and never have its credential."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.programs import Program, curl, java, node
from tests.proxy.running import execute
from tests.proxy.upstream import ROOT, checksum
from tests.repetitions import given, repeated

AT_ONCE = 100
SIZE = given("megabytes", 4) << 20
JOBS = {
    "plain": (0, {"statuses": [200, 200], "received": 11}),
    "many": (AT_ONCE, {"statuses": [200] * AT_ONCE}),
    "down": (SIZE, {"size": SIZE, "checksum": checksum(SIZE)}),
    "up": (SIZE, {"size": SIZE}),
}
"""Job → its number, and what the program prints."""
PROGRAMS: list[Program] = repeated([curl, node], [curl, node, java])
"""The others start slowly."""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_asks_with_a_credential_that_it_does_not_have(setting: Setting, program: Program) -> None:
    commands = [shlex.join(program(job, number)) for job, (number, _) in JOBS.items()]
    done = execute(setting.folder, ["sh", "-e", "-c", "\n".join(commands)])
    assert done.code == 0, done.err
    printed = map(json.loads, done.out.splitlines())
    assert dict(zip(JOBS, printed, strict=True)) == {job: expected for job, (_, expected) in JOBS.items()}
    assert setting.upstream.paths[:2] == [f"{ROOT}/packages/7?view=short", f"{ROOT}/packages/list"]
    assert len(setting.upstream.seen) == 2 + AT_ONCE + 2
