"""The secrets and tokens that stand behind the names in documented requests, and JWTs read by a second library."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from string import Template
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jws, jwt

from tests.canary import API_KEY, AWKWARD
from tests.private_keys import RSA_KEY, pem_of

PEM = pem_of(RSA_KEY)
TOKENS = {name: secrets.token_hex(16) for name in ("TOKEN", "ROTATED", "REFRESH", "CODE")}
"""What the vendors issue."""
ENVIRONMENT = {
    "SECRET": API_KEY,
    "SECOND": AWKWARD,
    "PRIVATE_KEY": PEM,
    "KEY_FILE": json.dumps({"type": "service_account", "private_key": PEM}),
}
"""The variables to which the references of the connections lead."""
_TIMES = {"iat", "exp", "jti"}
_LONGEST_LIFE_S = 300


def filled(text: str) -> str:
    """Return a text with the secrets and tokens for the names in it: `$SECRET`, `$TOKEN`."""
    return Template(text).safe_substitute({**ENVIRONMENT, **TOKENS})


def verify_jwt(token: str, documented: Mapping[str, Any]) -> None:
    """Require a JWT that the public key verifies (RFC 7515 §5.2), with the documented `alg`, `kid` and claims, and no others."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    registry = jws.JWSRegistry(algorithms=[documented["alg"]])
    read = jwt.decode(token, jwk.import_key(pem, "RSA"), registry=registry)
    claims = {name: value for name, value in read.claims.items() if name not in _TIMES}
    assert (claims, read.header.get("kid")) == (documented["claims"], documented.get("kid")), "other claims"
    issued_at, ends_at = read.claims["iat"], read.claims["exp"]
    assert issued_at <= time.time() < ends_at <= issued_at + _LONGEST_LIFE_S, "another lifetime"
