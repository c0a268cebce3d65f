"""pytest plugin: the fixture `connform_simulator`, an iinked Sign on loopback.

Layer 5; IO: loopback. pytest loads this plugin by its entry point; the fixture needs the extra `simulator`. The program
under test needs no change: while a test uses the fixture, `connect`, `load`, `check` and `apply` reach the simulator, in
all threads of the process. No secret is read, nothing is recorded, and nothing is sent to another machine::

    import our_code  # calls connform.connect("sandbox-us")

    def test_our_code_lists_packages(connform_simulator):
        assert our_code.count_packages() == 3
        assert connform_simulator.requests[-1].path == "/api/v1/packages/list"

    def test_our_code_survives_an_outage(connform_simulator):
        connform_simulator.fail("sandbox.syngrafii.com", "server_unavailable")
        ...

A client that was made before the test, and another process, aren't reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from connform.simulator import Simulator


@pytest.fixture
def connform_simulator() -> Iterator[Simulator]:
    """Yield a started simulator of iinked Sign, which answers all clients made meanwhile. Each test has its own, with its own faults."""
    from connform.engine.run.context import simulating
    from connform.simulator import Simulator

    with Simulator() as simulator, simulating(simulator):
        yield simulator
