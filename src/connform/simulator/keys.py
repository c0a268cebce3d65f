"""Synthetic private keys that sign JWTs, and the check of what they signed (RFC 7519 §7.2).

Layer 2, no IO; reads the clock. Imported only for connections that sign: the libraries cryptography and PyJWT are slow to import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connform.simulator.messages import with_value

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_CURVES: Mapping[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_RSA_BITS, _RSA_EXPONENT = 2048, 65537
_TIMES = ["exp", "iat"]


class SyntheticKey:
    """A random private key. No output shows it."""

    __slots__ = ("_alg", "_key")

    def __init__(self, alg: str) -> None:
        """Make a key for an algorithm of RFC 7518 §3.1, or EdDSA."""
        self._alg = alg
        self._key = _generate(alg)

    def stored(self, pointer: str = "") -> str:
        """Return it as a secret store holds it: in PEM (PKCS #8), or as the member of a JSON document at a JSON Pointer."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
        return json.dumps(with_value({}, pointer, pem)) if pointer else pem

    def has_signed(self, token: str, claims: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
        """Return whether a text is a JWT that this key signed, that has not ended, and that holds these claims and headers.

        A header whose text is empty must be missing.
        """
        import jwt

        options: Any = {"require": _TIMES, "verify_aud": False, "verify_iss": False, "verify_sub": False}
        try:
            held = jwt.PyJWT().decode_complete(
                token,
                self._key.public_key(),  # type: ignore[arg-type]  # PyJWT lists the kinds that `_generate` makes
                algorithms=[self._alg],
                options=options,
            )
        except jwt.PyJWTError:
            return False
        has_headers = all(held["header"].get(name, "") == value for name, value in headers.items())
        return has_headers and all(held["payload"].get(name) == value for name, value in claims.items())

    def __repr__(self) -> str:
        return "<synthetic key>"


def _generate(alg: str) -> PrivateKeyTypes:
    if alg in _CURVES:
        return ec.generate_private_key(_CURVES[alg])
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)
