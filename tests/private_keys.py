"""Private keys that sign JWTs, and their text, which must not leak."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.canary import assert_without

RSA_KEY = rsa.generate_private_key(65537, 2048)
"""A key for all tests that sign by RSA: to make one takes 70 ms."""


def pem_of(key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """Return a key in PEM."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def assert_no_key(pem: str, *outputs: str | bytes, where: str = "the output") -> None:
    """Fail if an output holds a line of a key, or half of one."""
    assert_without(_lines(pem), *outputs, where=where)


def _lines(pem: str) -> Iterator[str]:
    return (line for line in pem.splitlines() if len(line) > 16 and "-----" not in line)
