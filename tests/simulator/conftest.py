from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connform.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def key(simulator: Simulator) -> dict[str, str]:
    """The header of an API key that the simulator accepts on every host."""
    return {"api_key": simulator.issue_api_key()}
