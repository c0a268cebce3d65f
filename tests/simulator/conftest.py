from __future__ import annotations

from collections.abc import Iterator

import pytest

from connform.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def key(simulator: Simulator) -> dict[str, str]:
    """The header of an API key that the simulator accepts on every host."""
    return {"api_key": simulator.issue_api_key()}
