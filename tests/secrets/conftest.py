"""Fixtures of the backends' tests: a certificate authority for servers on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.testing.secrets import Bench
from tests.end_to_end.conftest import Issuer
from tests.repetitions import repeated

Bench.rotations = repeated(10, 300)


@pytest.fixture(scope="session")
def authority() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def ca_file(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_bytes(authority.pem)
    return file
