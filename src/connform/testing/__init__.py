"""pytest plugin: the fixture `connform_simulator`, an iinked Sign on loopback.

Layer 5; IO: loopback. pytest finds this plugin by itself where `connform[simulator]` is installed. A test makes a ready
client of a connection as the manifest declares it; no secret is resolved, nothing leaves the machine::

    import connform

    def test_our_code_lists_packages(connform_simulator):
        with connform.connect("sandbox-us", file="connections.yaml", simulator=connform_simulator) as client:
            answer = client.post("/packages/list", json={"take": 1, "skip": 0})
        assert answer.json()["total"] == 3
        assert connform_simulator.requests[-1].path == "/api/v1/packages/list"

    def test_our_code_survives_an_outage(connform_simulator):
        connform_simulator.fail("sandbox.syngrafii.com", "server_unavailable")
        ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connform.simulator import Simulator


@pytest.fixture
def connform_simulator() -> Iterator[Simulator]:
    """Yield a started simulator of iinked Sign; each test has its own, so that faults and records don't mix."""
    from connform.simulator import Simulator

    with Simulator() as simulator:
        yield simulator
