"""Authorities, made once: keys take time."""

from __future__ import annotations

import pytest

from tests.http.exchanging import MODES, Mode
from tests.http.servers import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return Authority("Intercepting Proxies Ltd")


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Mode:
    parameter: Mode = request.param
    return parameter
