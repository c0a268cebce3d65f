"""Fixtures of the tests of `azurekv`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Issuer
from tests.secrets.azure.stand_in import StandIn


@pytest.fixture
def stand_in(authority: Issuer, ca_file: Path) -> Iterator[StandIn]:
    stand_in = StandIn(authority, ca_file)
    yield stand_in
    stand_in.server.stop()
