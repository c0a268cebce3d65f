"""pytest plugin: the fixture `connform_simulator`, an iinked Sign on loopback.

Layer 5; IO: loopback. pytest loads this plugin by its entry point; the fixture needs `connform[simulator]`. A test
gets a ready client of a connection in the manifest. No secret is resolved, and nothing is sent to another machine::

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

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from connform.simulator import Simulator


@pytest.fixture
def connform_simulator() -> Iterator[Simulator]:
    """Yield a started simulator of iinked Sign. Each test has its own, with its own faults and records."""
    from connform.simulator import Simulator

    with Simulator() as simulator:
        yield simulator
