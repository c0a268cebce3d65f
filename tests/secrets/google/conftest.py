"""Fixtures of the tests of `gcpsecrets`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.end_to_end.conftest import Issuer
from tests.secrets.google.stand_in import StandIn


@pytest.fixture(scope="session")
def private_key() -> str:
    # A small one: Google's library proves a key's numbers each time that it reads one, which takes seven times as long for 2048 bits.
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="session")
def system_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The system's certificates: one, of another authority, because all of a machine's take 20 ms for each session."""
    file = tmp_path_factory.mktemp("system") / "certificates.pem"
    file.write_bytes(Issuer("another").pem)
    return file


@pytest.fixture
def stand_in(
    authority: Issuer, ca_file: Path, system_file: Path, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    monkeypatch.setenv("SSL_CERT_FILE", str(system_file))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))  # Google's library trusts what requests trusts
    stand_in = StandIn(authority, ca_file, private_key)
    yield stand_in
    stand_in.server.stop()
