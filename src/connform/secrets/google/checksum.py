"""The check that a secret's bytes are those that were stored: its CRC32C, which Secret Manager sends as `dataCrc32c`.

Layer 2, no IO. docs.cloud.google.com/php/docs/reference/cloud-secret-manager/latest/V1beta2.SecretPayload has the field. The
polynomial is 0x1EDC6F41 (RFC 3309, appendix), here with its bits in reverse order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from connform.errors import SecretUnresolved
from connform.secrets.kit.value import bytes_from_base64

_REVERSED_POLYNOMIAL = 0x82F63B78
_ALL_BITS = 0xFFFFFFFF


def intact_data(payload: Mapping[str, Any]) -> bytes:
    """Return the bytes of a payload, which fit its checksum if it has one.

    Raises:
        SecretUnresolved: `secret_malformed`, not base64; `secret_backend_unavailable`, altered on the way.
    """
    data = bytes_from_base64(payload.get("data", ""))
    stored = payload.get("dataCrc32c")
    if stored is not None and str(stored) != str(crc32c(data)):
        message = "the value was altered on the way: it does not fit the checksum that Secret Manager sends with it"
        raise SecretUnresolved("secret_backend_unavailable", message, "try again; see what else answers for the store")
    return data


def crc32c(data: bytes) -> int:
    """Return the CRC32C of bytes."""
    table, checksum = _table(), _ALL_BITS
    for byte in data:
        checksum = table[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    return checksum ^ _ALL_BITS


@cache
def _table() -> list[int]:
    """Return the checksum's change for each byte."""
    table = list(range(256))
    for _ in range(8):
        table = [(entry >> 1) ^ (_REVERSED_POLYNOMIAL if entry & 1 else 0) for entry in table]
    return table
