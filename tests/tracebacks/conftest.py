"""What fails is made once for all who look at it."""

from __future__ import annotations

import pytest

from tests.http.servers import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()
