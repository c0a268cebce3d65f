"""The private key that signs JWTs: read from PEM (RFC 7468), which may be one member of a JSON secret.

Layer 2, no IO; the library cryptography is imported when a key is read. No message holds a part of a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.auth.kit.private_key_pem import NO_KEY, Problem, find_block
from connform.errors import ConnectionFailed
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
"""RFC 7518 §3.4."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES, "EdDSA")
"""The algorithms that a JWT is signed with: asymmetric alone (RFC 7518 §3.1, RFC 8037 §3.1)."""
_MIN_RSA_BITS = 2048
"""RFC 7518 §3.3."""
_LINE = 64


def load_key(secret: Secret, alg: str, *, key: str, at: str = "") -> PrivateKeyTypes:
    r"""Return the private key in a secret.

    Args:
        secret: PEM in PKCS #8, PKCS #1 or SEC 1, not encrypted; other blocks beside it, such as certificates, are not read. Its
            line breaks may be written as `\n`, or be blanks.
        alg: one of `ALGORITHMS`, whose kind of key it must be.
        key: the key under `auth:` that the secret came from, for messages.
        at: where the secret is a JSON object, the JSON Pointer of its member with the PEM, as `/private_key` of a Google service
            account; empty where the secret is the PEM.

    Raises:
        ConnectionFailed: `secret_malformed`; the message holds nothing of the secret.
    """
    with hidden_frames():
        found = _read(secret, alg, at)
    if isinstance(found, Problem):
        raise ConnectionFailed("secret_malformed", f"the secret behind `{key}` {found.text}", found.hint)
    return found


def _read(secret: Secret, alg: str, at: str) -> PrivateKeyTypes | Problem:
    block = find_block(secret.reveal(), at)
    parsed = block if isinstance(block, Problem) else _parse(*block)
    return parsed if isinstance(parsed, Problem) else _mismatch(parsed, alg) or parsed


def _parse(label: str, base64: str) -> PrivateKeyTypes | Problem:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    lines = [base64[start : start + _LINE] for start in range(0, len(base64), _LINE)]
    pem = "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----\n"])
    try:
        found = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(found, rsa.RSAPrivateKey) or _is_whole(found):
            return found
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    return Problem("is a private key that is damaged, or of an unknown kind", NO_KEY)


def _is_whole(found: rsa.RSAPrivateKey) -> bool:
    """Whether the numbers of an RSA key belong together. A signature shows it in 1 ms; OpenSSL's own check takes 90 ms."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signature = found.sign(b"", PKCS1v15(), SHA256())
    try:
        found.public_key().verify(signature, b"", PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _mismatch(found: PrivateKeyTypes, alg: str) -> Problem | None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    if isinstance(found, rsa.RSAPrivateKey):
        if found.key_size < _MIN_RSA_BITS:
            return Problem(f"is an RSA key of {found.key_size} bits", "a JWT needs 2048 at least (RFC 7518 §3.3)")
        kind, is_right = "an RSA key", alg[:2] in {"RS", "PS"}
    elif isinstance(found, ec.EllipticCurvePrivateKey):
        kind, is_right = f"an EC key on {found.curve.name}", found.curve.name == _CURVES.get(alg)
    elif isinstance(found, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        kind, is_right = "an Ed25519 or Ed448 key", alg == "EdDSA"
    else:
        kind, is_right = "a key of another kind", False
    return (
        None if is_right else Problem(f"is {kind}, which doesn't sign {alg}", "correct `alg`, or store the key for it")
    )
